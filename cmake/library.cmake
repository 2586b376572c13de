# libpare, static and shared, from the objects of every folder; the program; installation.
include(CMakePackageConfigHelpers)

get_property(PARE_FOLDER_LIBRARIES GLOBAL PROPERTY PARE_FOLDERS)
set(PARE_EXTERNAL PkgConfig::PROTOBUF_C PkgConfig::LIBZIP PkgConfig::ZLIB PkgConfig::JANSSON PkgConfig::OPENBLAS
  Threads::Threads m)

function(pare_library target kind export_name)
  foreach(folder ${PARE_FOLDER_LIBRARIES})
    list(APPEND objects $<TARGET_OBJECTS:${folder}>)
  endforeach()
  add_library(${target} ${kind} ${objects})
  add_library(pare::${export_name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME pare EXPORT_NAME ${export_name} LINKER_LANGUAGE C
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
  target_include_directories(${target} INTERFACE
    $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${target} PRIVATE ${PARE_EXTERNAL})
  if(PARE_SANITIZE)
    target_link_options(${target} PUBLIC $<BUILD_INTERFACE:-fsanitize=address,undefined>)
  endif()
endfunction()

pare_library(pare_shared SHARED pare)
pare_library(pare_static STATIC static)
if(NOT PARE_SANITIZE) # the sanitizers' runtime is found in the program that loads the library
  target_link_options(pare_shared PRIVATE -Wl,--no-undefined)
endif()

# An archive hides nothing by itself: one object whose hidden symbols are local keeps short names like `fail` out of
# the programs that link it.
if(CMAKE_OBJCOPY AND CMAKE_LINKER)
  set(whole ${CMAKE_BINARY_DIR}/pare-whole.o)
  add_custom_command(TARGET pare_static POST_BUILD
    COMMAND ${CMAKE_LINKER} -r --whole-archive -o ${whole} $<TARGET_FILE:pare_static>
    COMMAND ${CMAKE_OBJCOPY} --localize-hidden ${whole}
    COMMAND ${CMAKE_COMMAND} -E rm $<TARGET_FILE:pare_static>
    COMMAND ${CMAKE_AR} qcsD $<TARGET_FILE:pare_static> ${whole}
    VERBATIM)
endif()

# The program carries the library in itself: one file to copy.
file(GLOB PARE_PROGRAM_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/cli/*.c)
if(PARE_PROGRAM_SOURCES)
  add_executable(pare ${PARE_PROGRAM_SOURCES})
  target_link_libraries(pare PRIVATE pare_options pare_static)
  install(TARGETS pare RUNTIME)
endif()

# ---- installation ----

install(TARGETS pare_shared EXPORT pareTargets LIBRARY ARCHIVE)
install(TARGETS pare_static EXPORT pareStaticTargets ARCHIVE)
install(DIRECTORY include/pare DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

set(PARE_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/pare)
install(EXPORT pareTargets NAMESPACE pare:: DESTINATION ${PARE_CMAKE_DIR})
install(EXPORT pareStaticTargets NAMESPACE pare:: DESTINATION ${PARE_CMAKE_DIR})
configure_package_config_file(cmake/pareConfig.cmake.in ${CMAKE_BINARY_DIR}/pareConfig.cmake
  INSTALL_DESTINATION ${PARE_CMAKE_DIR} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/pareConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/pareConfig.cmake ${CMAKE_BINARY_DIR}/pareConfigVersion.cmake
  DESTINATION ${PARE_CMAKE_DIR})

file(RELATIVE_PATH PARE_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /) # the tree may be moved
string(REGEX REPLACE "/$" "" PARE_PC_PREFIX ${PARE_PC_PREFIX})
# libpare.a with shared libraries behind it: Requires.private would demand the static closure of OpenBLAS.
set(external ${PROTOBUF_C_LDFLAGS} ${LIBZIP_LDFLAGS} ${ZLIB_LDFLAGS} ${JANSSON_LDFLAGS} ${OPENBLAS_LDFLAGS} -pthread -lm)
list(JOIN external " " PARE_PC_LIBS_PRIVATE)
configure_file(cmake/pare.pc.in ${CMAKE_BINARY_DIR}/pare.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/pare.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
