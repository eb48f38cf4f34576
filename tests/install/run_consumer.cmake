# Configures, builds and runs the consumer in an empty folder; -D WAY=find_package installs lacuna first.
function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE ${WORK})
if(WAY STREQUAL "find_package")
  run(${CMAKE_COMMAND} --install ${LACUNA_BUILD} --prefix ${WORK}/prefix --component lacuna)
  set(from -D CMAKE_PREFIX_PATH=${WORK}/prefix)
else()
  set(from -D LACUNA_SOURCE=${LACUNA_SOURCE} -D LACUNA_OPENMP=${OPENMP} -D LACUNA_ONEDNN=${ONEDNN} -D LACUNA_FETCH=${FETCH})
endif()
run(${CMAKE_COMMAND} -S ${CONSUMER} -B ${WORK}/build -G ${GENERATOR} -D CMAKE_CXX_COMPILER=${COMPILER}
    "-DCMAKE_CXX_FLAGS=${FLAGS}" ${from})
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${WORK}/build/consumer)
