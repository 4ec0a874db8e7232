/* Statuses, versions and features. */
#include "check.h"

static void names_are_spelled_as_in_the_header(void)
{
    CHECK(strcmp(wvmi_status_name(WVMI_OK), "WVMI_OK") == 0);
    CHECK(strcmp(wvmi_status_name(WVMI_END), "WVMI_END") == 0);
    CHECK(strcmp(wvmi_status_name(WVMI_GAP), "WVMI_GAP") == 0);
    CHECK(strcmp(wvmi_status_name(WVMI_TIMEOUT), "WVMI_TIMEOUT") == 0);
    CHECK(strcmp(wvmi_status_name(WVMI_STOPPED), "WVMI_STOPPED") == 0);
    CHECK(strcmp(wvmi_status_name(WVMI_ERROR_FAULT), "WVMI_ERROR_FAULT") == 0);
    CHECK(strcmp(wvmi_status_name(WVMI_ERROR_INTERNAL), "WVMI_ERROR_INTERNAL") == 0);
    CHECK(strcmp(wvmi_status_name(12345), "unknown status") == 0);
    CHECK(strcmp(wvmi_status_name(-12345), "unknown status") == 0);
}

static void library_and_header_are_of_one_version(void)
{
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", WVMI_VERSION_MAJOR, WVMI_VERSION_MINOR,
             WVMI_VERSION_PATCH);
    CHECK(strcmp(text, WVMI_VERSION) == 0);
    CHECK(strcmp(wvmi_version(), WVMI_VERSION) == 0);
    CHECK(wvmi_abi_version() == 1);
}

static void unknown_features_are_absent(void)
{
    CHECK(!wvmi_has_feature("time-travel"));
    CHECK(!wvmi_has_feature(""));
    CHECK(!wvmi_has_feature("\xff"));
    CHECK(!wvmi_has_feature(NULL));
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    names_are_spelled_as_in_the_header();
    library_and_header_are_of_one_version();
    unknown_features_are_absent();
    return 0;
}
