# Downloads for LACUNA_FETCH.
include(FetchContent)

# Header-only: an imported target over the sources alone, so that it is SYSTEM and stays out of our install.
function(lacuna_fetch_headers target repository tag include_dir)
  string(MAKE_C_IDENTIFIER "lacuna_${target}" name)
  message(STATUS "lacuna: downloading ${target} ${tag} from ${repository}")
  FetchContent_Declare(${name} GIT_REPOSITORY ${repository} GIT_TAG ${tag} GIT_SHALLOW ON SOURCE_SUBDIR no-cmake)
  FetchContent_MakeAvailable(${name})
  FetchContent_GetProperties(${name} SOURCE_DIR source_dir)
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${target} INTERFACE ${source_dir}/${include_dir})
endfunction()

# Compiled: built as part of this project, and not installed.
function(lacuna_fetch_project name repository tag)
  message(STATUS "lacuna: downloading ${name} ${tag} from ${repository}")
  FetchContent_Declare(${name} GIT_REPOSITORY ${repository} GIT_TAG ${tag} GIT_SHALLOW ON SYSTEM)
  FetchContent_GetProperties(${name})
  if(NOT ${name}_POPULATED)
    FetchContent_Populate(${name})
    add_subdirectory(${${name}_SOURCE_DIR} ${${name}_BINARY_DIR} EXCLUDE_FROM_ALL SYSTEM)
  endif()
endfunction()
