//! Files that would pass for raw images, known by their first bytes for what they are.

/// First bytes and what they begin.
const KNOWN: [(&[u8], &str); 20] = [
    (b"QFI\xfb", "a qcow2 disk image"),
    (b"KDMV", "a VMDK disk image"),
    (b"vhdxfile", "a VHDX disk image"),
    (b"QEVM", "a saved QEMU state"),
    (b"LibvirtQemudSave", "a saved libvirt state"),
    (b"\xd0\xbe\xd2\xbe", "a VMware snapshot"),
    (b"\xd1\xba\xd1\xba", "a VMware snapshot"),
    (b"\xd2\xbe\xd2\xbe", "a VMware snapshot"),
    (b"\xd3\xbe\xd3\xbe", "a VMware snapshot"),
    (b"hibr", "a hibernation file"),
    (b"HIBR", "a hibernation file"),
    (b"wake", "a hibernation file"),
    (b"WAKE", "a hibernation file"),
    (b"KDUMP   ", "a compressed kdump core"),
    (b"AVML", "a compressed AVML image"),
    (b"PK\x03\x04", "a zip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x1f\x8b\x08", "a gzip file"),
    (b"\xfd7zXZ\0", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
];

/// What a file that begins with `head` is, if it is none of this library's business.
pub fn name(head: &[u8]) -> Option<&'static str> {
    let known = KNOWN.iter().find(|(magic, _)| head.starts_with(magic));
    known.map(|(_, name)| *name)
}
