# Runs in dom0: each example and `winvmi trace` for some seconds, on the running
# Windows guest that opens and writes files, and begins and ends processes, all the time.
export LD_LIBRARY_PATH=/lab
G=xen:nobody,windows
S=guest.json.xz
cat > guest.cfg <<END
name = "windows"
type = "pvh"
kernel = "/lab/guest.elf"
memory = 64
maxmem = 64
vcpus = 2
altp2m = "external"
on_crash = "preserve"
on_reboot = "destroy"
END
xl create guest.cfg > /dev/null || echo "FAIL examples-guest: it does not start"
DOMAIN=$(xl domid windows)
before=$(./limits "$DOMAIN")
sleep 2

pass() { echo "PASS examples-$*"; }
fail() { echo "FAIL examples-$*"; tail -n 20 out | sed 's/^/     /'; }

# run SIGNAL LINES COMMAND...: until it has printed so many lines (at most 40 s), then signals it.
run() {
    signal=$1 lines=$2
    shift 2
    "$@" > out 2>&1 < /dev/null &
    process=$!
    waited=0
    while [ "$(wc -l < out)" -lt "$lines" ] && [ $waited -lt 40 ] && kill -0 $process 2> /dev/null; do
        sleep 1
        waited=$((waited + 1))
    done
    kill -"$signal" $process 2> /dev/null
    wait $process
    code=$?
}

# lines PATTERN: how many lines of the last output match.
lines() { grep -cE "$1" out; }

# check NAME PATTERN...: the last program ended well, and printed each of these.
check() {
    name=$1 counts=
    shift
    for pattern; do
        count=$(lines "$pattern")
        counts="$counts $count"
        if [ "$count" = 0 ]; then
            fail "$name: nothing like $pattern, exit code $code"
            return
        fi
    done
    if [ $code != 0 ]; then
        fail "$name: exit code $code"
        return
    fi
    pass "$name: ended by SIG$signal after $waited s with code 0; lines of each kind:$counts"
}

WHO='^ *[0-9]+\.[0-9]+ +'
run INT 40 ./breakpoint $G $S
check breakpoint "${WHO}alpha.exe +NtCreateFile\(attributes 0x[0-9a-f]+\)" "${WHO}beta.exe +NtCreateFile" \
    "${WHO}gamma32.exe +NtCreateFile"

FILE='\\Work\\'
run TERM 120 ./trace_files $G $S
check trace-files "${WHO}alpha.exe +create .*${FILE}alpha.exe\\\\r.*port.txt" \
    "${WHO}gamma32.exe +create .*${FILE}gamma32.exe\\\\r.*port.txt" \
    "${WHO}beta.exe +create .*${FILE}beta.exe\\\\drafts\\\\note.txt" \
    "${WHO}alpha.exe +write .*${FILE}alpha.exe\\\\log [0-3].txt" \
    "${WHO}gamma32.exe +write .*${FILE}gamma32.exe\\\\log [0-3].txt" \
    "${WHO}System +begin +child[0-9].exe \([0-9]+\)" "${WHO}System +end +child[0-9].exe \([0-9]+\)"
[ "$(lines ' begin! ')" = 0 ] || fail "trace-files-parents: a parent that is none"

run HUP 60 ./trace_calls $G $S nt!NtWriteFile nt!ObOpenObjectByName
check trace-calls '^> nt!NtWriteFile\(0x[0-9a-f]+, ' '^< nt!NtWriteFile = 0x[0-9a-f]+ in thread [0-9]+' \
    '^> nt!ObOpenObjectByName' '^< nt!ObOpenObjectByName = 0x0 in thread [0-9]+'

run ALRM 5 ./memory_watch $G nt!PsActiveProcessHead 16 $S
check memory-watch '^0xffff[0-9a-f]+ written by 0xffff[0-9a-f]+ in System \([0-9]+\)'

(sleep 8; echo) | ./own_loop $G nt!NtCreateFile $S > out 2>&1
code=$? signal=NONE waited=8
check own-loop '^[1-9][0-9]* hits'

run INT 100 ./plugin_host $G $S ./file_tracer.so ./process_monitor.so
check plugins "^file_tracer +[0-9]+\.[0-9]+ +alpha.exe +create .*${FILE}alpha.exe" \
    "^file_tracer .*write .*log [0-3].txt" '^process_monitor .*begin child[0-9].exe \([0-9]+\) by explorer.exe' \
    '^process_monitor .*end child[0-9].exe'

run TERM 120 ./winvmi trace $G files --json --symbols $S
check command-files '"name":"alpha.exe".*"event":"create","path":".*\\\\Work\\\\alpha.exe' \
    '"event":"write","path":".*log [0-3].txt","handle":"0x[0-9a-f]+","length":16' \
    '"event":"begin".*"parent_agrees":true' '"event":"end"'
[ "$(grep -cvE '^\{.*\}$' out)" = 0 ] || fail "command-lines: not an object a line"

run INT 40 ./winvmi trace $G nt!NtCreateFile --json --symbols $S
check command-calls '"event":"call","symbol":"nt!NtCreateFile","argument0":"0x' \
    '"event":"return","symbol":"nt!NtCreateFile","end":"returned","result":"0x0"'

# A symbol of a module that no process loads, and one of a module that all have loaded.
run INT 1000 timeout -s INT 3 ./winvmi trace $G nosuch!Function --symbols $S
[ $code = 0 ] && pass "pending-module: left after $waited s with code 0" || fail "pending-module: exit code $code"
run INT 1000 timeout -s INT 3 ./winvmi trace $G ntdll!NtCreateFile --symbols $S
[ $code = 0 ] && pass "user-module: left after $waited s with code 0" || fail "user-module: exit code $code"

./client $G $S | sed 's/^\(PASS\|FAIL\) /\1 examples-/'

after=$(./limits "$DOMAIN")
if [ "$before" = "$after" ]; then
    pass "limits-as-before: $after"
else
    fail "limits-as-before: $before, then $after"
fi
# Still at work, with nobody who watches.
run INT 10 ./breakpoint $G $S
check guest-runs "NtCreateFile"
