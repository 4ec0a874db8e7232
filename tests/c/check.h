/* Checks for the C test programs, and the forged guest that they look at. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <winvmi.h>

#include "forged.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Ends the program when `condition` is false. */
#define CHECK(condition) check((condition) != 0, __FILE__, __LINE__, #condition)

/* Ends the program when a call does not return `status`. */
#define CHECK_STATUS(call, status) check_status((call), (status), __FILE__, __LINE__, #call)

/* Ends the program when a call fails. */
#define CHECK_OK(call) CHECK_STATUS(call, WVMI_OK)

static const char *forged_dump;
static const char *forged_symbols;

static inline void check(int passed, const char *file, int line, const char *what)
{
    if (!passed) {
        fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
        exit(1);
    }
}

static inline void check_status(wvmi_status got, wvmi_status want, const char *file, int line,
                                const char *what)
{
    if (got != want) {
        wvmi_error error;
        wvmi_last_error(&error, sizeof error);
        fprintf(stderr, "%s:%d: %s is %s, want %s (%s)\n", file, line, what,
                wvmi_status_name(got), wvmi_status_name(want), error.message);
        exit(1);
    }
}

/* Every how many of its cases a long test tries: all of them in one run of many,
 * in the others, such as those under valgrind, every `some`th. */
static inline size_t stride(size_t some)
{
    return getenv("WINVMI_EVERY_CASE") == NULL ? some : 1;
}

static inline wvmi_space space_of(wvmi_space_kind kind, uint64_t value)
{
    wvmi_space space;
    space.kind = kind;
    space.value = value;
    return space;
}

static inline wvmi_space kernel_space(void)
{
    return space_of(WVMI_SPACE_KERNEL, 0);
}

static inline wvmi_config *forged_config(void)
{
    wvmi_config *config = NULL;
    CHECK_OK(wvmi_config_new(&config));
    CHECK_OK(wvmi_config_add_symbol_path(config, forged_symbols));
    CHECK_OK(wvmi_config_set_symbol_environment(config, false));
    return config;
}

/* Opens the forged guest with its symbols. */
static inline wvmi_session *open_forged(void)
{
    wvmi_config *config = forged_config();
    wvmi_session *session = NULL;
    CHECK_OK(wvmi_session_open(forged_dump, config, &session));
    wvmi_config_free(config);
    return session;
}

/* Opens the forged guest without symbols. */
static inline wvmi_session *open_without_symbols(void)
{
    wvmi_config *config = NULL;
    wvmi_session *session = NULL;
    CHECK_OK(wvmi_config_new(&config));
    CHECK_OK(wvmi_config_set_symbol_environment(config, false));
    CHECK_OK(wvmi_config_set_cache_directory(config, ""));
    CHECK_OK(wvmi_session_open(forged_dump, config, &session));
    wvmi_config_free(config);
    return session;
}

/* Does the guest's Windows have this field? */
static inline int has_field(wvmi_session *session, const char *structure, const char *path)
{
    wvmi_field field;
    return wvmi_field_offset(session, structure, path, &field, sizeof field) == WVMI_OK;
}

static inline const struct forged_process *forged_process_named(const char *name)
{
    for (size_t i = 0; i < COUNT(forged_processes); i++) {
        if (strcmp(forged_processes[i].name, name) == 0) {
            return &forged_processes[i];
        }
    }
    fprintf(stderr, "the forge made no %s\n", name);
    exit(1);
}

static inline wvmi_process process_of(const struct forged_process *forged)
{
    wvmi_process process;
    process.object = forged->object;
    return process;
}

/* What the forge placed in the body of an object. */
static inline uint64_t forged_fact(uint64_t object, const char *name)
{
    for (size_t i = 0; i < COUNT(forged_facts); i++) {
        if (forged_facts[i].object == object && strcmp(forged_facts[i].name, name) == 0) {
            return forged_facts[i].value;
        }
    }
    fprintf(stderr, "the forge knows no %s of 0x%llx\n", name, (unsigned long long)object);
    exit(1);
}

static inline const char *forged_text(uint64_t object, const char *name)
{
    for (size_t i = 0; i < COUNT(forged_texts); i++) {
        if (forged_texts[i].object == object && strcmp(forged_texts[i].name, name) == 0) {
            return forged_texts[i].text;
        }
    }
    fprintf(stderr, "the forge knows no %s of 0x%llx\n", name, (unsigned long long)object);
    exit(1);
}

/* Address of the object that the forge placed at a path. */
static inline wvmi_object forged_object_at_path(const char *path)
{
    wvmi_object object;
    for (size_t i = 0; i < COUNT(forged_objects); i++) {
        if (forged_objects[i].path && strcmp(forged_objects[i].path, path) == 0) {
            object.object = forged_objects[i].object;
            return object;
        }
    }
    fprintf(stderr, "the forge placed nothing at %s\n", path);
    exit(1);
}

/* Takes the paths that the runner passes. */
static inline void begin(int argc, char **argv)
{
    CHECK(argc == 3);
    forged_dump = argv[1];
    forged_symbols = argv[2];
}

#endif
