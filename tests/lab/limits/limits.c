/*
 * limits DOMAIN: what a client of the domain may have left changed, on one line.
 * Equal before and after means restored.
 */
#include <stdio.h>
#include <stdlib.h>
#include <xenctrl.h>

int main(int argc, char **argv)
{
    xc_domaininfo_t info;
    bool views = false;
    uint32_t domain = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    xc_interface *xc = xc_interface_open(NULL, NULL, 0);
    if (!xc || xc_domain_getinfo_single(xc, domain, &info) < 0)
        return 1;
    xc_altp2m_get_domain_state(xc, domain, &views);
    /* Not the pages it has: the page of the event ring goes with the first monitor. */
    printf("max_pages=%lu views=%s paused=%s\n", (long)info.max_pages, views ? "on" : "off",
           info.flags & XEN_DOMINF_paused ? "yes" : "no");
    return 0;
}
