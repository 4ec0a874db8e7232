# Runs in dom0: the proof on the running Windows guest of $LAYOUT.
cat > windows.cfg <<END
name = "windows"
type = "pvh"
kernel = "/lab/$LAYOUT.elf"
memory = 64
maxmem = 64
vcpus = 2
altp2m = "external"
on_crash = "preserve"
on_reboot = "destroy"
END
xl create windows.cfg > /dev/null || echo "FAIL $LAYOUT: the guest does not start"
DOMAIN=$(xl domid windows)
before=$(./limits "$DOMAIN")
# shellcheck disable=SC2086
./proof xen:nobody,windows "$LAYOUT.json.xz" "$LAYOUT.map" $CHECKS | sed "s/^\(PASS\|FAIL\|AGAIN\) /\1 $LAYOUT-/"
after=$(./limits "$DOMAIN")
if [ "$before" = "$after" ]; then
    echo "PASS $LAYOUT-limits-as-before: $after"
else
    echo "FAIL $LAYOUT-limits-as-before: $before, then $after"
fi

if [ -z "$CHECKS" ]; then
    # The same guest without views, on one processor: others would run through a lifted patch.
    xl destroy windows
    sed -i 's/^vcpus = 2/vcpus = 1/; /^altp2m/d' windows.cfg
    xl create windows.cfg > /dev/null || echo "FAIL $LAYOUT-plain: the guest does not start"
    ./proof xen:windows "$LAYOUT.json.xz" "$LAYOUT.map" plain | sed "s/^\(PASS\|FAIL\|AGAIN\) /\1 $LAYOUT-/"
fi
