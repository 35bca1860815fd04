# What every target of the project shares, and the three functions that declare targets.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)

add_compile_definitions(VOICEFLOW_VERSION="${PROJECT_VERSION}")
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wno-missing-field-initializers
    -fno-omit-frame-pointer -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
add_compile_definitions(BOOST_ASIO_NO_DEPRECATED BOOST_BEAST_USE_STD_STRING_VIEW
    $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    add_link_options(-fuse-ld=mold)
endif()
if(VOICEFLOW_SANITIZE)
    add_compile_options(-fsanitize=${VOICEFLOW_SANITIZE} -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${VOICEFLOW_SANITIZE})
endif()
if(VOICEFLOW_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# One translation unit holds the bodies of Asio, Beast and Boost.JSON; see src/base/boost_bodies.cpp.
add_compile_definitions(BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION)

# vf_module(name SOURCES ... LINKS ...): one folder of src/ as a static library `vf_<name>`.
# What it links is what it may include; tests/lint/includes.py compares the two.
function(vf_module name)
    cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;TESTS" ${ARGN})
    add_library(vf_${name} STATIC ${ARG_SOURCES})
    target_include_directories(vf_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(vf_${name} PUBLIC ${ARG_LINKS})
    if(VOICEFLOW_TESTS AND ARG_TESTS)
        vf_test(${name}_test SOURCES ${ARG_TESTS} LINKS vf_${name})
    endif()
endfunction()

# vf_test(name SOURCES ... LINKS ...): a GoogleTest program; scripts/test runs every *_test in bin/.
function(vf_test name)
    cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
    find_package(GTest REQUIRED)
    add_executable(${name} ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE ${ARG_LINKS} GTest::gmock GTest::gtest_main)
    target_compile_definitions(${name} PRIVATE VF_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
        VF_BINARY_DIR="${CMAKE_BINARY_DIR}/bin")
endfunction()

# vf_program(name SOURCES ... LINKS ...): an executable that is installed.
function(vf_program name)
    cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
    add_executable(${name} ${ARG_SOURCES})
    target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(${name} PRIVATE ${ARG_LINKS})
endfunction()
