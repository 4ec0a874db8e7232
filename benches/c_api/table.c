#include "table.h"

#include <stdbool.h>
#include <stdio.h>

enum { WIDTH = 10 };

/* A number, or a dash where there is none. */
static void print_number(double number, int digits)
{
    if (number > 0) {
        printf("%*.*f", WIDTH, digits, number);
    } else {
        printf("%*s", WIDTH, "-");
    }
}

static void print_row(const char *name, const char *unit, double ratio, struct goal goal,
                      double floor, double figure, bool missed)
{
    int digits = figure < 10 ? 3 : 1;
    print_number(ratio, 2);
    print_number(goal.most, 2);
    print_number(goal.peer, 2);
    print_number(floor, digits);
    print_number(figure, digits);
    printf(" %-3s %s%s\n", unit, name, missed ? "  <-- goal missed" : "");
    fflush(stdout);
}

void print_heading(void)
{
    printf("%*s%*s%*s%*s%*s\n", WIDTH, "ratio", WIDTH, "goal", WIDTH, "best peer", WIDTH, "floor",
           WIDTH, "winvmi");
}

void print_ratio(const char *name, const char *unit, double floor, double figure, struct goal goal)
{
    double ratio = figure / floor;
    print_row(name, unit, ratio, goal, floor, figure, goal.most > 0 && ratio > goal.most);
}

void print_figure(const char *name, const char *unit, double figure, struct goal goal)
{
    print_row(name, unit, 0, goal, 0, figure, goal.most > 0 && figure > goal.most);
}

void print_scaling(const char *name, double floor, double figure, double least)
{
    struct goal goal = {.most = least};
    print_row(name, "x", figure / floor, goal, floor, figure, figure < least);
}
