# Optional targets lacuna::netcdf, lacuna::png and lacuna::json: the library together with what some of its headers need.
# Read by the build and by the installed package, so both define them by what the machine at hand has.

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
