# Writes lacuna_commit, the sources' commit as git tells it. -D SOURCE= -D OUTPUT=
execute_process(COMMAND git describe --always --dirty --abbrev=7 WORKING_DIRECTORY ${SOURCE} OUTPUT_VARIABLE commit
                RESULT_VARIABLE failed ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
if(failed)
  set(commit unknown)
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "extern const char* const lacuna_commit;\nconst char* const lacuna_commit = \"${commit}\";\n")
