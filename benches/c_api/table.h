/* The one table that is printed. */

#ifndef TABLE_H
#define TABLE_H

/* What a figure is held against; 0 is nothing. */
struct goal {
    /* The most that it may be: a ratio to the floor where the row has a floor, else a figure in
     * the row's unit. */
    double most;
    /* What the best of the other tools reached, in the same terms. */
    double peer;
};

void print_heading(void);

/* A row beside the floor's figure of the same run. */
void print_ratio(const char *name, const char *unit, double floor, double figure,
                 struct goal goal);

/* A row of something that has no floor. */
void print_figure(const char *name, const char *unit, double figure, struct goal goal);

/* How much faster two threads are than one: the floor's threads and the library's. */
void print_scaling(const char *name, double floor, double figure, double least);

#endif
