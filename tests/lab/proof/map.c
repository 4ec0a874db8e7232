/* The forge's map of the guest, as map.py writes it. */
#include "proof.h"

#define MOST 256

static struct {
    char name[48];
    uint64_t number;
} entries[MOST];
static size_t count;

struct actor actors[ACTORS];

static bool find(const char *name, uint64_t *number)
{
    size_t i;

    for (i = 0; i < count; i++) {
        if (strcmp(entries[i].name, name) == 0) {
            *number = entries[i].number;
            return true;
        }
    }
    return false;
}

uint64_t map_number(const char *name)
{
    uint64_t number;

    if (!find(name, &number)) {
        printf("FAIL map: no %s\n", name);
        exit(1);
    }
    return number;
}

uint64_t map_indexed(const char *name, unsigned index)
{
    char indexed[64];

    snprintf(indexed, sizeof indexed, "%s.%u", name, index);
    return map_number(indexed);
}

static uint64_t of_actor(unsigned index, const char *field)
{
    char name[64];

    snprintf(name, sizeof name, "actor.%u.%s", index, field);
    return map_number(name);
}

void map_load(const char *path)
{
    FILE *file = fopen(path, "r");
    unsigned i;

    if (file == NULL) {
        printf("FAIL map: cannot read %s\n", path);
        exit(1);
    }
    while (count < MOST &&
           fscanf(file, "%47s %" SCNu64, entries[count].name, &entries[count].number) == 2)
        count++;
    fclose(file);
    for (i = 0; i < ACTORS; i++) {
        actors[i].kind = (uint32_t)of_actor(i, "kind");
        actors[i].pid = (uint32_t)of_actor(i, "pid");
        actors[i].process = of_actor(i, "process");
        actors[i].thread = of_actor(i, "thread");
        actors[i].words = of_actor(i, "words");
        actors[i].words_va = of_actor(i, "words_va");
        actors[i].breakpoint = of_actor(i, "breakpoint");
        actors[i].create_file = of_actor(i, "create_file");
        actors[i].write_file = of_actor(i, "write_file");
    }
}
