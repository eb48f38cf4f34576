# Optional targets lacuna::netcdf, lacuna::png, lacuna::json and lacuna::opencv: the library together with what some of its headers
# need. Read by the build and by the installed package, so both define them by what the machine at hand has.

macro(lacuna_extra name dependency package)
  if(TARGET ${dependency})
    set(lacuna_${name}_FOUND TRUE)
    if(NOT TARGET lacuna::${name})
      add_library(lacuna::${name} INTERFACE IMPORTED GLOBAL)
      target_link_libraries(lacuna::${name} INTERFACE lacuna::lacuna ${dependency})
    endif()
  else()
    set(lacuna_${name}_FOUND FALSE)
    if(NOT lacuna_FIND_QUIETLY)
      message(STATUS "lacuna: lacuna::${name} is left out (Debian: install ${package})")
    endif()
  endif()
endmacro()

find_path(LACUNA_NETCDF_INCLUDE_DIR netcdf.h)
find_library(LACUNA_NETCDF_LIBRARY netcdf)
mark_as_advanced(LACUNA_NETCDF_INCLUDE_DIR LACUNA_NETCDF_LIBRARY)
if(LACUNA_NETCDF_INCLUDE_DIR AND LACUNA_NETCDF_LIBRARY AND NOT TARGET lacuna::libnetcdf)
  add_library(lacuna::libnetcdf UNKNOWN IMPORTED GLOBAL)
  set_target_properties(lacuna::libnetcdf PROPERTIES IMPORTED_LOCATION ${LACUNA_NETCDF_LIBRARY}
                                                     INTERFACE_INCLUDE_DIRECTORIES ${LACUNA_NETCDF_INCLUDE_DIR})
endif()
lacuna_extra(netcdf lacuna::libnetcdf libnetcdf-dev)

find_package(PNG QUIET GLOBAL)
lacuna_extra(png PNG::PNG libpng-dev)

find_package(nlohmann_json CONFIG QUIET GLOBAL)
lacuna_extra(json nlohmann_json::nlohmann_json nlohmann-json3-dev)

# By header and libraries: Debian's package file of OpenCV comes with all of its modules only.
find_path(LACUNA_OPENCV_INCLUDE_DIR opencv2/photo.hpp PATH_SUFFIXES opencv4)
find_library(LACUNA_OPENCV_PHOTO_LIBRARY opencv_photo)
find_library(LACUNA_OPENCV_CORE_LIBRARY opencv_core)
mark_as_advanced(LACUNA_OPENCV_INCLUDE_DIR LACUNA_OPENCV_PHOTO_LIBRARY LACUNA_OPENCV_CORE_LIBRARY)
if(LACUNA_OPENCV_INCLUDE_DIR AND LACUNA_OPENCV_PHOTO_LIBRARY AND LACUNA_OPENCV_CORE_LIBRARY AND NOT TARGET lacuna::opencv_photo)
  add_library(lacuna::opencv_photo UNKNOWN IMPORTED GLOBAL)
  set_target_properties(lacuna::opencv_photo PROPERTIES IMPORTED_LOCATION ${LACUNA_OPENCV_PHOTO_LIBRARY}
                                                        INTERFACE_INCLUDE_DIRECTORIES ${LACUNA_OPENCV_INCLUDE_DIR}
                                                        INTERFACE_LINK_LIBRARIES ${LACUNA_OPENCV_CORE_LIBRARY}
                                                        INTERFACE_COMPILE_DEFINITIONS LACUNA_HAS_OPENCV=1)
endif()
lacuna_extra(opencv lacuna::opencv_photo libopencv-photo-dev)
