# Optional targets lacuna::netcdf, lacuna::png, lacuna::json, lacuna::opencv and lacuna::cuda: the library together with what some
# of its headers need. Read by the build and by the installed package, so both define them by what the machine at hand has.

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

# The GPU backend, for files that nvcc compiles. Its kernels are headers of their own folder, lacuna_kernels_dir/kernels. The CUDA
# runtime comes with CMake's CUDA language. Where there are only headers, the tests use them for their emulation.
find_package(CUDAToolkit QUIET GLOBAL)
find_path(LACUNA_CUDA_INCLUDE_DIR cudnn.h HINTS ${CUDAToolkit_INCLUDE_DIRS} ENV CUDA_PATH PATHS /usr/local/cuda
          PATH_SUFFIXES include)
find_library(LACUNA_CUDNN_LIBRARY NAMES cudnn libcudnn.so.9 HINTS ${CUDAToolkit_LIBRARY_DIR} ${LACUNA_CUDA_INCLUDE_DIR}/..
             PATH_SUFFIXES lib lib64)
mark_as_advanced(LACUNA_CUDA_INCLUDE_DIR LACUNA_CUDNN_LIBRARY)
set(lacuna_cuda_FOUND FALSE)
if(CUDAToolkit_FOUND AND CUDAToolkit_VERSION VERSION_GREATER_EQUAL 12.8 AND TARGET CUDA::cublasLt AND TARGET CUDA::cufft
   AND LACUNA_CUDA_INCLUDE_DIR AND LACUNA_CUDNN_LIBRARY)
  set(lacuna_cuda_FOUND TRUE)
  if(NOT TARGET lacuna::cuda)
    add_library(lacuna::cuda INTERFACE IMPORTED GLOBAL)
    target_include_directories(lacuna::cuda INTERFACE ${lacuna_kernels_dir} ${LACUNA_CUDA_INCLUDE_DIR})
    target_link_libraries(lacuna::cuda INTERFACE lacuna::lacuna CUDA::cublasLt CUDA::cufft ${LACUNA_CUDNN_LIBRARY})
    # Eigen's own marks for kernels, and attributes and pragmas of host code, draw warnings.
    target_compile_definitions(lacuna::cuda INTERFACE EIGEN_NO_CUDA)
    target_compile_options(lacuna::cuda INTERFACE
      "$<$<COMPILE_LANG_AND_ID:CUDA,NVIDIA>:SHELL:-std=c++20 --expt-relaxed-constexpr --diag-suppress=1675,20011,20012,20014>"
      $<$<COMPILE_LANG_AND_ID:CUDA,NVIDIA>:-Xcompiler=-Wno-psabi>)
    if(TARGET OpenMP::OpenMP_CXX AND OpenMP_CXX_FLAGS)
      target_compile_options(lacuna::cuda INTERFACE $<$<COMPILE_LANG_AND_ID:CUDA,NVIDIA>:-Xcompiler=${OpenMP_CXX_FLAGS}>)
    endif()
  endif()
elseif(NOT lacuna_FIND_QUIETLY)
  message(STATUS "lacuna: lacuna::cuda is left out (it needs the CUDA Toolkit 12.8 or later with cuBLAS and cuFFT, and cuDNN 9)")
endif()
