# Runs in dom0: the proof on a guest of each layout.
for layout in ${LAYOUTS:-win7-7601 win11-22000}; do
    cat > "$layout.cfg" <<END
name = "$layout"
type = "pvh"
kernel = "/lab/$layout.elf"
memory = 64
maxmem = 64
vcpus = 2
altp2m = "external"
on_crash = "preserve"
on_reboot = "destroy"
END
    xl create "$layout.cfg" > /dev/null || echo "FAIL $layout: the guest does not start"
    echo "CONSOLE created $layout at $(cut -d' ' -f1 /proc/uptime)"
    ./proof "xen:$layout" "$layout.json.xz" "$layout.map" $CHECKS | sed "s/^\(PASS\|FAIL\) /\1 $layout-/"
    xl destroy "$layout"
done
xl dmesg | tail -20
