# The files that the programs read, in the build tree at the same places as when installed:
# share/voiceflow/{page,migrations,plans,voices,models,openapi.json}.
find_package(Python3 REQUIRED COMPONENTS Interpreter)

set(VOICEFLOW_SHARE ${CMAKE_BINARY_DIR}/share/voiceflow)
file(MAKE_DIRECTORY ${VOICEFLOW_SHARE})
foreach(pair "page;web/page" "migrations;migrations" "plans;plans" "voices;voices" "models;models")
    list(GET pair 0 name)
    list(GET pair 1 source)
    file(CREATE_LINK ${CMAKE_SOURCE_DIR}/${source} ${VOICEFLOW_SHARE}/${name} SYMBOLIC)
endforeach()

add_custom_command(
    OUTPUT ${VOICEFLOW_SHARE}/openapi.json
    COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/cmake/openapi_json.py
        ${CMAKE_SOURCE_DIR}/api/openapi.yaml ${VOICEFLOW_SHARE}/openapi.json
    DEPENDS ${CMAKE_SOURCE_DIR}/api/openapi.yaml ${CMAKE_SOURCE_DIR}/cmake/openapi_json.py)
add_custom_target(voiceflow-share DEPENDS ${VOICEFLOW_SHARE}/openapi.json)
