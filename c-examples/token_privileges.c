/* token_privileges: prints on whose behalf a process acts, and what it may do. */
#include "example.h"

#include <inttypes.h>

/* SE_GROUP_ENABLED */
#define GROUP_ENABLED 4u

static int print_sids(wvmi_session *session, wvmi_token token, wvmi_token_sids which,
                      const char *title)
{
    wvmi_token_sid_iter *sids = NULL;
    wvmi_token_sid sid = {0};
    wvmi_status status = wvmi_token_sid_iter_new(session, token, which, &sids);
    int partial = 0;

    if (status != WVMI_OK)
        return fail(title);
    printf("%s\n", title);
    while ((status = wvmi_token_sid_iter_next(sids, &sid, sizeof sid)) >= 0) {
        if (status == WVMI_END)
            break;
        if (status == WVMI_GAP)
            partial = fail("a SID is missing");
        else
            printf("  %-46s  %-8s  %s\n", sid.text,
                   sid.attributes & GROUP_ENABLED ? "enabled" : "", sid.name);
    }
    wvmi_token_sid_iter_free(sids);
    return status < 0 ? fail("the SIDs ended early") : partial;
}

static void print_privileges(const wvmi_token_details *token)
{
    printf("privileges\n");
    for (uint32_t number = 0; number < 64; number++) {
        uint64_t bit = UINT64_C(1) << number;

        if (token->privileges_present & bit)
            printf("  %-46s  %-8s  %s\n", wvmi_privilege_name(number),
                   token->privileges_enabled & bit ? "enabled" : "",
                   token->privileges_default & bit ? "by default" : "");
    }
}

static int print_token(wvmi_session *session, wvmi_process process)
{
    wvmi_token_details details = {0};
    wvmi_token token;
    int partial = 0;

    if (wvmi_process_token(session, process, &token) != WVMI_OK
        || wvmi_token_info(session, token, &details, sizeof details) != WVMI_OK)
        return fail("cannot read the token");
    printf("user            %s  %s\n", details.user, details.user_name);
    printf("logon session   0x%" PRIx64 "\n", details.authentication_id);
    printf("session         %" PRIu32 "\n", details.session_id);
    if (details.integrity_level == WVMI_INTEGRITY_NONE)
        printf("integrity       none\n");
    else
        printf("integrity       0x%" PRIx32 "\n", details.integrity_level);
    printf("elevation       %s\n", details.elevation_type == WVMI_ELEVATION_FULL      ? "full"
                                   : details.elevation_type == WVMI_ELEVATION_LIMITED ? "limited"
                                                                                      : "default");
    partial |= print_sids(session, token, WVMI_TOKEN_SIDS_GROUPS, "groups");
    partial |= print_sids(session, token, WVMI_TOKEN_SIDS_RESTRICTED, "restricted SIDs");
    if (details.valid & WVMI_TOKEN_VALID_PRIVILEGES)
        print_privileges(&details);
    else
        partial = fail("the privileges are missing");
    return partial;
}

int main(int argc, char **argv)
{
    wvmi_session *session = open_guest(argc, argv, "DUMP PROCESS [SYMBOLS]", 2);
    wvmi_process process;
    int result;

    if (session == NULL)
        return 1;
    if (find_process(session, argv[2], &process) == WVMI_OK)
        result = print_token(session, process);
    else
        result = fail(argv[2]);
    wvmi_session_close(session);
    return result;
}
