#pragma once

#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "lacuna/core/parse_number.hpp"

/// Names of temporary files, .NAME.HOST.PID.NUMBER.tmp, and their removal once nobody writes them any more.
namespace lacuna::data {

/// @brief The name of this machine without dots; a part of the names of temporary files, since folders are shared by machines.
inline std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "host";
  std::string out = name.data();
  for (char& c : out)
    if (c == '.' || c == '/') c = '-';
  return out.empty() ? "host" : out.substr(0, 64);
}

/// @brief What stands behind a hidden name that is written to become `NAME`.
inline std::string temporary_suffix(int number) {
  return "." + host_name() + "." + std::to_string(::getpid()) + "." + std::to_string(number) + ".tmp";
}

/// @brief Whether a file of this name was left by a process of this machine that lives no more.
inline bool is_stale(std::string_view name) {
  const auto last_part = [&name]() -> std::string_view {
    const std::size_t dot = name.rfind('.');
    const std::string_view part = dot == std::string_view::npos ? std::string_view{} : name.substr(dot + 1);
    name = name.substr(0, dot == std::string_view::npos ? 0 : dot);
    return part;
  };
  if (!name.starts_with('.') || last_part() != "tmp" || !parse_number<int>(last_part())) return false;
  const pid_t pid = parse_number<pid_t>(last_part()).value_or(0);
  return pid > 0 && last_part() == host_name() && ::kill(pid, 0) != 0 && errno == ESRCH;
}

/// @brief Removes the stale files of a folder that begin with `begin`.
inline void remove_stale(const std::filesystem::path& folder, const std::string& begin = ".") {
  std::error_code failed, ignored;
  for (std::filesystem::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(begin) && is_stale(name)) std::filesystem::remove(entry->path(), ignored);
  }
}

/// @brief The same of a folder and all below it.
inline void remove_stale_below(const std::filesystem::path& folder) {
  remove_stale(folder);
  std::error_code failed, ignored;
  for (std::filesystem::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed))
    if (entry->is_directory(ignored) && !entry->is_symlink(ignored)) remove_stale_below(entry->path());
}

}  // namespace lacuna::data
