/* Measures the C API on forged images and prints one table. Arguments: the image, the sparse
 * image, the symbol directory, the process whose pages are read, their base, their number. */

#include "bench.h"
#include "table.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    if (argc != 7) {
        fprintf(stderr, "usage: %s IMAGE SPARSE SYMBOLS PROCESS BASE PAGES\n", argv[0]);
        return EXIT_FAILURE;
    }
    struct arguments arguments = {
        .full = argv[1],
        .sparse = argv[2],
        .symbols = argv[3],
        .process = argv[4],
        .base = strtoull(argv[5], NULL, 0),
        .pages = strtoull(argv[6], NULL, 0),
    };
    struct guest guest;
    print_heading();
    open_guest(&guest, &arguments);
    measure_memory(&guest);
    measure_threads(&guest);
    close_guest(&guest);
    measure_opening(&arguments);
    measure_objects(&arguments);
    measure_user(&arguments);
    return EXIT_SUCCESS;
}
