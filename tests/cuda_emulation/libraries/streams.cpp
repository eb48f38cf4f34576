// Streams, events and graphs of the emulated CUDA runtime: work is queued, and runs when something waits for it.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <utility>

#include "cuda_emulation/language.hpp"
#include "cuda_emulation/libraries/world.hpp"

namespace cuda_emulation {

void run_task(const std::function<void()>& task) {
  if (world().sticky != cudaSuccess) return;  // a lost context runs nothing more
  world().memory.open();
  try {
    task();
  } catch (const std::exception& error) {
    world().sticky = cudaErrorLaunchFailure;
    world().failure = error.what();
  }
  world().memory.close();
}

namespace {

double now() { return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// Runs a stream up to the ticket, or all of it.
void advance(CUstream_st* stream, const Ticket* until) {
  while (stream->begun < stream->queue.size() && (until == nullptr || !until->done)) {
    const Work work = std::move(stream->queue[stream->begun++]);
    if (work.wait != nullptr && !work.wait->done) advance(work.wait->stream, work.wait.get());
    if (work.record != nullptr) {
      work.record->done = true;
      work.record->milliseconds = now();
    }
    if (work.run) run_task(work.run);
  }
  if (stream->begun == stream->queue.size()) {
    stream->queue.clear();
    stream->begun = 0;
  }
}

bool known(cudaStream_t stream) {
  return stream == nullptr || std::find(world().streams.begin(), world().streams.end(), stream) != world().streams.end();
}

/// The default stream waits for all streams but those created as non-blocking.
void drain_blocking() {
  for (CUstream_st* stream : world().streams)
    if ((stream->flags & cudaStreamNonBlocking) == 0) drain(stream);
}

cudaError_t on_default_stream() {
  if (world().capture == nullptr) return cudaSuccess;
  for (CUstream_st* stream : world().capture->streams) {
    if ((stream->flags & cudaStreamNonBlocking) != 0) continue;
    world().capture->invalid = true;
    return report(cudaErrorStreamCaptureImplicit);
  }
  return cudaSuccess;
}

/// Nodes in an order that their dependencies allow, and as far from the order of the calls as they allow.
void run_nodes(const std::vector<Node>& nodes) {
  std::vector<char> done(nodes.size(), 0);
  for (std::size_t ran = 0; ran < nodes.size(); ++ran) {
    std::size_t next = nodes.size();
    while (next-- > 0) {
      const auto& after = nodes[next].after;
      if (done[next] == 0 && std::all_of(after.begin(), after.end(), [&](std::size_t i) { return done[i] != 0; })) break;
    }
    done[next] = 1;
    run_task(nodes[next].run);
  }
}

void join(std::vector<std::size_t>& after, const std::vector<std::size_t>& others) {
  for (const std::size_t node : others)
    if (std::find(after.begin(), after.end(), node) == after.end()) after.push_back(node);
}

const char* queue_kernel(cudaStream_t stream, std::function<void()> work) {
  if (fails(controls().fail_launch)) return cudaGetErrorString(report(cudaErrorLaunchOutOfResources));
  if (stream == nullptr && world().capture == nullptr) {  // errors come at once, as from a test's own launch
    drain_blocking();
    world().memory.open();
    try {
      work();
    } catch (...) {
      world().memory.close();
      throw;
    }
    world().memory.close();
    return nullptr;
  }
  const cudaError_t status = enqueue(stream, std::move(work));
  return status == cudaSuccess ? nullptr : cudaGetErrorString(status);
}
[[maybe_unused]] const bool connected = (queue_launch = &queue_kernel) != nullptr;

}  // namespace

void drain(CUstream_st* stream) { advance(stream, nullptr); }
/// The youngest stream first: what it should have waited for has not run.
void drain_all() {
  for (std::size_t i = world().streams.size(); i-- > 0;) drain(world().streams[i]);
}

cudaError_t enqueue(cudaStream_t stream, std::function<void()> task) {
  if (const auto status = usable(); status != cudaSuccess) return status;
  if (!known(stream)) return report(cudaErrorInvalidResourceHandle);
  if (stream != nullptr && stream->device != world().device) return report(cudaErrorInvalidResourceHandle);
  if (stream == nullptr) {
    if (const auto status = on_default_stream(); status != cudaSuccess) return status;
    drain_blocking();
    run_task(task);
    return world().sticky;
  }
  if (stream->capture == nullptr) {
    stream->queue.push_back({std::move(task), nullptr, nullptr});
    return cudaSuccess;
  }
  Capture& capture = *stream->capture;
  if (capture.invalid) return report(cudaErrorStreamCaptureInvalidated);
  capture.nodes.push_back({std::move(task), stream->after});
  stream->after = {capture.nodes.size() - 1};
  return cudaSuccess;
}

std::size_t pending() {
  std::size_t count = 0;
  for (const CUstream_st* stream : world().streams) count += stream->queue.size() - stream->begun;
  return count;
}

}  // namespace cuda_emulation

using namespace cuda_emulation;

extern "C" {

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  if (const auto status = usable(); status != cudaSuccess) return status;
  if (stream == nullptr || flags > cudaStreamNonBlocking) return report(cudaErrorInvalidValue);
  *stream = new CUstream_st{};
  (*stream)->flags = flags;
  (*stream)->device = world().device;
  world().streams.push_back(*stream);
  ++world().live.streams;
  return cudaSuccess;
}
cudaError_t cudaStreamCreate(cudaStream_t* stream) { return cudaStreamCreateWithFlags(stream, cudaStreamDefault); }

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  if (stream == nullptr || !known(stream)) return report(cudaErrorInvalidResourceHandle);
  if (stream->capture != nullptr) return not_while_capturing();
  drain(stream);
  std::erase(world().streams, stream);
  delete stream;
  --world().live.streams;
  return usable();
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (const auto status = not_while_capturing(); status != cudaSuccess) return status;
  if (!known(stream)) return report(cudaErrorInvalidResourceHandle);
  if (stream == nullptr)
    drain_blocking();
  else
    drain(stream);
  return usable();
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  if (const auto status = not_while_capturing(); status != cudaSuccess) return status;
  if (!known(stream)) return report(cudaErrorInvalidResourceHandle);
  return stream == nullptr || stream->queue.empty() ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaDeviceSynchronize() {
  if (const auto status = not_while_capturing(); status != cudaSuccess) return status;
  drain_all();
  return usable();
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  if (const auto status = usable(); status != cudaSuccess) return status;
  if (event == nullptr) return report(cudaErrorInvalidValue);
  *event = new CUevent_st{flags, nullptr, nullptr, {}};
  ++world().live.events;
  return cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, cudaEventDefault); }

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  if (event == nullptr) return report(cudaErrorInvalidResourceHandle);
  delete event;
  --world().live.events;
  return usable();
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  if (const auto status = usable(); status != cudaSuccess) return status;
  if (event == nullptr || !known(stream)) return report(cudaErrorInvalidResourceHandle);
  event->ticket = nullptr;
  event->capture = nullptr;
  if (stream != nullptr && stream->capture != nullptr) {
    if (stream->capture->invalid) return report(cudaErrorStreamCaptureInvalidated);
    event->capture = stream->capture;
    event->after = stream->after;
    return cudaSuccess;
  }
  event->ticket = std::make_shared<Ticket>(Ticket{stream, stream == nullptr, now()});
  if (stream == nullptr)
    drain_blocking();
  else
    stream->queue.push_back({nullptr, event->ticket, nullptr});
  return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned /*flags*/) {
  if (const auto status = usable(); status != cudaSuccess) return status;
  if (event == nullptr || !known(stream)) return report(cudaErrorInvalidResourceHandle);
  if (event->capture != nullptr) {  // the stream joins the capture
    if (stream == nullptr || event->capture != world().capture) return report(cudaErrorStreamCaptureIsolation);
    if (stream->capture == nullptr) {
      stream->capture = event->capture;
      stream->after.clear();
      event->capture->streams.push_back(stream);
    }
    join(stream->after, event->after);
    return cudaSuccess;
  }
  if (stream != nullptr && stream->capture != nullptr && event->ticket != nullptr) {  // recorded outside
    stream->capture->invalid = true;
    return report(cudaErrorStreamCaptureIsolation);
  }
  if (event->ticket == nullptr || event->ticket->done) return cudaSuccess;
  if (stream == nullptr)
    advance(event->ticket->stream, event->ticket.get());
  else
    stream->queue.push_back({nullptr, nullptr, event->ticket});
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (event == nullptr) return report(cudaErrorInvalidResourceHandle);
  if (const auto status = not_while_capturing(); status != cudaSuccess) return status;
  if (event->capture != nullptr) return report(cudaErrorCapturedEvent);
  if (event->ticket != nullptr && !event->ticket->done) advance(event->ticket->stream, event->ticket.get());
  return usable();
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  if (event == nullptr) return report(cudaErrorInvalidResourceHandle);
  if (const auto status = not_while_capturing(); status != cudaSuccess) return status;
  if (event->capture != nullptr) return report(cudaErrorCapturedEvent);
  return event->ticket == nullptr || event->ticket->done ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  if (const auto status = usable(); status != cudaSuccess) return status;
  if (milliseconds == nullptr || begin == nullptr || end == nullptr) return report(cudaErrorInvalidResourceHandle);
  const bool timed = ((begin->flags | end->flags) & cudaEventDisableTiming) == 0;
  if (!timed || begin->ticket == nullptr || end->ticket == nullptr) return report(cudaErrorInvalidResourceHandle);
  if (!begin->ticket->done || !end->ticket->done) return cudaErrorNotReady;
  *milliseconds = static_cast<float>(end->ticket->milliseconds - begin->ticket->milliseconds);
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  if (const auto status = usable(); status != cudaSuccess) return status;
  if (stream == nullptr) return report(cudaErrorStreamCaptureUnsupported);
  if (!known(stream)) return report(cudaErrorInvalidResourceHandle);
  if (world().capture != nullptr) return report(cudaErrorIllegalState);
  world().capture = std::make_shared<Capture>(Capture{stream, mode, false, {}, {stream}});
  stream->capture = world().capture;
  stream->after.clear();
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  if (graph == nullptr) return report(cudaErrorInvalidValue);
  *graph = nullptr;
  if (stream == nullptr || stream->capture == nullptr) return report(cudaErrorIllegalState);
  const auto capture = stream->capture;
  if (capture->origin != stream) {
    capture->invalid = true;
    return report(cudaErrorStreamCaptureUnmatched);
  }
  // Everything captured elsewhere must have come back: the origin's last dependencies reach every node.
  std::vector<char> reached(capture->nodes.size(), 0);
  std::vector<std::size_t> open = stream->after;
  while (!open.empty()) {
    const std::size_t node = open.back();
    open.pop_back();
    if (std::exchange(reached[node], char{1}) == 0) join(open, capture->nodes[node].after);
  }
  const bool joined = std::find(reached.begin(), reached.end(), 0) == reached.end();
  for (CUstream_st* member : capture->streams) member->capture = nullptr;
  world().capture = nullptr;
  if (capture->invalid || fails(controls().fail_capture)) return report(cudaErrorStreamCaptureInvalidated);
  if (!joined) return report(cudaErrorStreamCaptureUnjoined);
  *graph = new CUgraph_st{std::move(capture->nodes)};
  ++world().live.graphs;
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  if (status == nullptr) return report(cudaErrorInvalidValue);
  if (!known(stream)) return report(cudaErrorInvalidResourceHandle);
  const bool capturing = stream != nullptr && stream->capture != nullptr;
  *status = !capturing                 ? cudaStreamCaptureStatusNone
            : stream->capture->invalid ? cudaStreamCaptureStatusInvalidated
                                       : cudaStreamCaptureStatusActive;
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long /*flags*/) {
  if (const auto status = usable(); status != cudaSuccess) return status;
  if (executable == nullptr || graph == nullptr) return report(cudaErrorInvalidValue);
  *executable = new CUgraphExec_st{std::make_shared<std::vector<Node>>(graph->nodes)};
  ++world().live.executable_graphs;
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  if (executable == nullptr) return report(cudaErrorInvalidValue);
  if (stream != nullptr && stream->capture != nullptr) return not_while_capturing();  // a child graph: not emulated
  return enqueue(stream, [nodes = executable->nodes] { run_nodes(*nodes); });
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* count) {
  if (graph == nullptr || count == nullptr || nodes != nullptr) return report(cudaErrorInvalidValue);  // counts only
  *count = graph->nodes.size();
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  if (graph == nullptr) return report(cudaErrorInvalidValue);
  delete graph;
  --world().live.graphs;
  return usable();
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  if (executable == nullptr) return report(cudaErrorInvalidValue);
  delete executable;
  --world().live.executable_graphs;
  return usable();
}

}  // extern "C"
