# Target lacuna::onednn, if oneDNN is on the machine. Its own package file is passed by: Debian's stops CMake with an error where
# no OpenCL is installed, which only its graphics path would need.

find_path(LACUNA_ONEDNN_INCLUDE_DIR dnnl.hpp)
find_library(LACUNA_ONEDNN_LIBRARY dnnl)
mark_as_advanced(LACUNA_ONEDNN_INCLUDE_DIR LACUNA_ONEDNN_LIBRARY)
if(LACUNA_ONEDNN_INCLUDE_DIR AND LACUNA_ONEDNN_LIBRARY)
  foreach(part MAJOR MINOR PATCH)
    file(STRINGS ${LACUNA_ONEDNN_INCLUDE_DIR}/oneapi/dnnl/dnnl_version.h line REGEX "define DNNL_VERSION_${part} ")
    string(REGEX REPLACE "[^0-9]" "" lacuna_onednn_${part} "${line}")
  endforeach()
  set(lacuna_onednn_version ${lacuna_onednn_MAJOR}.${lacuna_onednn_MINOR}.${lacuna_onednn_PATCH})
  if(NOT TARGET lacuna::onednn)
    add_library(lacuna::onednn UNKNOWN IMPORTED GLOBAL)
    set_target_properties(lacuna::onednn PROPERTIES IMPORTED_LOCATION ${LACUNA_ONEDNN_LIBRARY}
                                                    INTERFACE_INCLUDE_DIRECTORIES ${LACUNA_ONEDNN_INCLUDE_DIR})
  endif()
endif()
