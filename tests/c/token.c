/* Tokens: who processes and threads are, and what they may do. */
#include "check.h"

static wvmi_token token_of(wvmi_session *session, const char *process)
{
    wvmi_token token = {0};
    CHECK_OK(wvmi_process_token(session, process_of(forged_process_named(process)), &token));
    CHECK(token.object == forged_process_named(process)->token);
    return token;
}

static void system_is_the_machine_itself(wvmi_session *session)
{
    wvmi_token_details details;
    CHECK_OK(wvmi_token_info(session, token_of(session, "System"), &details, sizeof details));
    CHECK(strcmp(details.user, "S-1-5-18") == 0);
    CHECK(strcmp(details.user_name, "NT AUTHORITY\\SYSTEM") == 0);
    CHECK(strcmp(details.default_owner, "S-1-5-32-544") == 0);
    CHECK(strcmp(details.primary_group, "S-1-5-18") == 0);
    CHECK(strcmp(details.source, "*SYSTEM*") == 0);
    CHECK(details.authentication_id == 0x3e7 && details.session_id == 0);
    CHECK(details.type == WVMI_TOKEN_PRIMARY && details.in_use == 1);
    CHECK(details.elevation_type == WVMI_ELEVATION_DEFAULT);
    CHECK(details.integrity_level == 0x4000);
    CHECK((details.privileges_present & 1 << 20) != 0);
    CHECK((details.privileges_enabled & 1 << 20) == 0);
    CHECK((details.valid & WVMI_TOKEN_VALID_PRIVILEGES) != 0);
    CHECK(strcmp(wvmi_privilege_name(20), "SeDebugPrivilege") == 0);
    CHECK(strcmp(wvmi_privilege_name(64), "unknown") == 0);
}

static void users_are_limited(wvmi_session *session)
{
    wvmi_token_details details;
    CHECK_OK(wvmi_token_info(session, token_of(session, "notepad.exe"), &details, sizeof details));
    CHECK(details.elevation_type == WVMI_ELEVATION_LIMITED && details.session_id == 1);
    CHECK(details.integrity_level == 0x2000 && details.user_name[0] == 0);
    CHECK_OK(wvmi_token_info(session, token_of(session, "legacy32.exe"), &details, sizeof details));
    CHECK(details.integrity_level == WVMI_INTEGRITY_NONE);
    CHECK((details.valid & WVMI_TOKEN_VALID_INTEGRITY_LEVEL) != 0);
}

static void threads_impersonate(wvmi_session *session)
{
    size_t found = 0;
    for (size_t i = 0; i < COUNT(forged_threads); i++) {
        wvmi_thread thread;
        wvmi_token token;
        wvmi_token_details details;
        thread.object = forged_threads[i].object;
        if (forged_threads[i].impersonation_token == 0)
            continue;
        CHECK_OK(wvmi_thread_token(session, thread, &token));
        CHECK(token.object == forged_threads[i].impersonation_token);
        CHECK_OK(wvmi_token_info(session, token, &details, sizeof details));
        CHECK(details.type == WVMI_TOKEN_IMPERSONATION && details.impersonation_level == 2);
        found++;
    }
    CHECK(found == 1);
}

static size_t sids(wvmi_session *session, wvmi_token token, wvmi_token_sids which,
                   wvmi_token_sid *list, size_t capacity)
{
    wvmi_token_sid_iter *iter = NULL;
    size_t count = 0;
    CHECK_OK(wvmi_token_sid_iter_new(session, token, which, &iter));
    while (count < capacity
           && wvmi_token_sid_iter_next(iter, &list[count], sizeof *list) == WVMI_OK)
        count++;
    CHECK_STATUS(wvmi_token_sid_iter_next(iter, &list[0], sizeof *list), WVMI_END);
    wvmi_token_sid_iter_free(iter);
    return count;
}

static void sids_are_listed(wvmi_session *session)
{
    wvmi_token system = token_of(session, "System");
    wvmi_token sandbox = token_of(session, "legacy32.exe");
    wvmi_token_sid list[8];
    wvmi_token_sid_iter *iter = NULL;
    size_t count = 0;
    CHECK(sids(session, sandbox, WVMI_TOKEN_SIDS_RESTRICTED, list, COUNT(list)) == 2);
    CHECK(strcmp(list[0].text, "S-1-5-12") == 0);
    CHECK(sids(session, sandbox, WVMI_TOKEN_SIDS_CAPABILITIES, list, COUNT(list)) ==
          (size_t)has_field(session, "_TOKEN", "Capabilities"));
    CHECK(sids(session, system, WVMI_TOKEN_SIDS_RESTRICTED, list, COUNT(list)) == 0);
    CHECK(sids(session, system, WVMI_TOKEN_SIDS_GROUPS, list, COUNT(list)) == 4);
    CHECK_OK(wvmi_token_sid_iter_new(session, system, WVMI_TOKEN_SIDS_GROUPS, &iter));
    CHECK_OK(wvmi_token_sid_iter_next_many(iter, list, sizeof *list, COUNT(list), &count));
    CHECK(count == 4 && list[0].relative_id == 544 && list[0].attributes == 0xe);
    CHECK(strcmp(list[0].name, "BUILTIN\\Administrators") == 0);
    CHECK(strcmp(list[3].text, "S-1-16-16384") == 0);
    CHECK_STATUS(wvmi_token_sid_iter_next_many(iter, list, sizeof *list, COUNT(list), &count),
                 WVMI_END);
    wvmi_token_sid_iter_free(iter);
    wvmi_token_sid_iter_free(NULL);
}

static void mistakes_are_told(wvmi_session *session)
{
    wvmi_token nowhere = {0x10};
    wvmi_token_details details;
    wvmi_token_sid sid;
    wvmi_token_sid_iter *iter = NULL;
    CHECK_STATUS(wvmi_token_info(session, nowhere, &details, sizeof details), WVMI_ERROR_FAULT);
    CHECK_STATUS(wvmi_token_info(session, nowhere, NULL, sizeof details),
                 WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_token_sid_iter_new(session, nowhere, 3, &iter),
                 WVMI_ERROR_INVALID_ARGUMENT);
    CHECK_OK(wvmi_token_sid_iter_new(session, nowhere, WVMI_TOKEN_SIDS_GROUPS, &iter));
    CHECK_STATUS(wvmi_token_sid_iter_next(iter, &sid, sizeof sid), WVMI_GAP);
    CHECK_STATUS(wvmi_token_sid_iter_next(iter, &sid, sizeof sid), WVMI_END);
    wvmi_token_sid_iter_free(iter);
}

int main(int argc, char **argv)
{
    wvmi_session *session;
    begin(argc, argv);
    session = open_forged();
    system_is_the_machine_itself(session);
    users_are_limited(session);
    threads_impersonate(session);
    sids_are_listed(session);
    mistakes_are_told(session);
    CHECK_OK(wvmi_session_close(session));
    return 0;
}
