#!/bin/sh
# The first and only process of a virtual machine: mounts what the tests need, runs them, and turns the machine off.
# Lines that run.sh reads begin with '@'.
/bin/busybox mkdir -p /proc /sys /dev /tmp
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs devtmpfs /dev
/bin/busybox mount -t securityfs securityfs /sys/kernel/security
# Refused where the kernel is locked down.
/bin/busybox mount -t tracefs tracefs /sys/kernel/tracing
/bin/busybox mount -t cgroup2 cgroup2 /sys/fs/cgroup
# Under systemd a process is in a cgroup below the root, so it is here, too.
/bin/busybox mkdir -p /sys/fs/cgroup/tests
echo $$ >/sys/fs/cgroup/tests/cgroup.procs
echo "@kernel $(/bin/busybox uname -r) $(/bin/busybox uname -m)"
echo "@page $(/bin/busybox grep -m 1 KernelPageSize /proc/self/smaps)"
cd /tmp || exit
# The arguments are for the test binary. OTEL_TCPRETRANS_... are variables from the kernel's command line.
if [ -x /program.sh ]; then
    /program.sh
else
    /kernel "$@"
fi
echo "@exit $?"
/bin/busybox poweroff -f
