# shellcheck shell=bash
# What differs between the architectures of virtual machines. Other scripts source this file, and set 'here' to its folder.

# Describes the machines of a Debian architecture by setting:
#   console     the kernel's name of the serial port
#   emulator    qemu's command for it
#   machine ARCHITECTURE
# shellcheck disable=SC2034  # they are for the script that sources this
machine() {
    local qemu
    case $1 in
    amd64)
        console=ttyS0
        # Not bookworm's qemu 7.2: its cmpxchg16b leaves wrong flags, which crashes kernels in kmalloc. Without that
        # instruction, which all real CPUs have, Linux 7.2 has no socket storage for BPF (kmalloc_nolock, mm/slub.c).
        # The newer qemu works with the libraries and the firmware of bookworm's packages.
        # shellcheck disable=SC2154  # set by the script that sources this
        qemu=$("$here/fetch.sh" qemu) || return 1
        emulator=("$qemu/qemu-system-x86_64" -L "$qemu/data" -L /usr/share/seabios -accel "tcg,thread=multi" -cpu qemu64)
        ;;
    arm64)
        console=ttyAMA0
        # pauth-impdef signs pointers with a cipher that is cheaper to emulate than the architecture's own.
        emulator=(qemu-system-aarch64 -machine virt -cpu "max,pauth-impdef=on")
        ;;
    *) return 1 ;;
    esac
}
