/* Registers of the virtual processors. */
#include "check.h"

int main(int argc, char **argv)
{
    wvmi_session *session;
    wvmi_registers registers;
    begin(argc, argv);
    session = open_forged();
    CHECK_OK(wvmi_registers_get(session, 0, &registers, sizeof registers));
    CHECK(registers.rip == FORGED_RIP && registers.cr3 == FORGED_CR3);
    CHECK_STATUS(wvmi_registers_get(session, 60000, &registers, sizeof registers),
                 WVMI_ERROR_NOT_FOUND);
    CHECK_STATUS(wvmi_registers_get(session, 0, NULL, sizeof registers), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_registers_get(NULL, 0, &registers, sizeof registers),
                 WVMI_ERROR_NULL_ARGUMENT);
    CHECK_STATUS(wvmi_registers_set(session, 0, &registers, sizeof registers),
                 WVMI_ERROR_NOT_SUPPORTED);
    CHECK_STATUS(wvmi_registers_set(session, 0, NULL, sizeof registers), WVMI_ERROR_NULL_ARGUMENT);
    CHECK_OK(wvmi_session_close(session));
    return 0;
}
