/* What the examples share: opening the guest that the command line names. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <winvmi.h>

/* Prints what was tried and why it failed; returns the program's exit code. */
static inline int fail(const char *what)
{
    wvmi_error error = {0};

    if (wvmi_last_error(&error, sizeof error) == WVMI_OK && error.message != NULL)
        fprintf(stderr, "%s: %s\n", what, error.message);
    else
        fprintf(stderr, "%s\n", what);
    return 1;
}

/*
 * Opens argv[1]. The argument behind the `own` ones that the example itself
 * takes (the guest included) may name a file or directory with symbols.
 */
static inline wvmi_session *open_guest(int argc, char **argv, const char *usage, int own)
{
    wvmi_config *config = NULL;
    wvmi_session *session = NULL;

    if (argc <= own || argc > own + 2) {
        fprintf(stderr, "usage: %s %s\n", argv[0], usage);
        return NULL;
    }
    if (wvmi_config_new(&config) != WVMI_OK) {
        fail("cannot configure");
        return NULL;
    }
    if (argc > own + 1 && wvmi_config_add_symbol_path(config, argv[own + 1]) != WVMI_OK)
        fail(argv[own + 1]);
    if (wvmi_session_open(argv[1], config, &session) != WVMI_OK)
        fail(argv[1]);
    wvmi_config_free(config);
    return session;
}

/* The process that `text`, an id or an image name, names. */
static inline wvmi_status find_process(wvmi_session *session, const char *text,
                                       wvmi_process *process)
{
    char *end = NULL;
    unsigned long pid = strtoul(text, &end, 10);

    if (*text != '\0' && *end == '\0')
        return wvmi_process_by_id(session, (uint32_t)pid, process);
    return wvmi_process_by_name(session, text, process);
}

#endif
