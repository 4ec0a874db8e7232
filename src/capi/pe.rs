//! `wvmi_pe`: executable images in memory.

use std::ffi::c_char;

use super::{
    error::{About, Failure},
    ffi::{Call, Plain, copy_text},
    gate::Inside,
    module::wvmi_module,
    session::wvmi_session,
    space::{WVMI_SPACE_KERNEL, WVMI_SPACE_PROCESS, wvmi_space},
    status::{WVMI_OK, wvmi_status},
    user_module::wvmi_user_module,
};
use crate::{
    core::Va,
    error::{Error, Result},
    os::windows::LoadedImage,
    pe::{self, CodeView, DIRECTORIES, Directory, Headers, Mapped, Pe},
    session::Session,
};

/// An executable image in memory: where its first byte is. A value, nothing to
/// free; `wvmi_module_pe()` and `wvmi_user_module_pe()` give it for modules.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_pe {
    /// The address space that it is read from. In `WVMI_SPACE_PROCESS` its bytes
    /// are found as by `wvmi_process_read()`, in the session's page files, too;
    /// in others as by `wvmi_read()`.
    pub space: wvmi_space,
    /// Address of its first byte.
    pub base: u64,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_pe {}

impl wvmi_pe {
    /// The bytes of the image.
    pub fn image<'a>(self, engine: &'a Session, session: &Inside) -> Result<LoadedImage<'a>> {
        let base = Va(self.base);
        if self.space.kind == WVMI_SPACE_PROCESS {
            let memory = engine.windows()?.process(Va(self.space.value)).memory()?;
            return Ok(LoadedImage::OfProcess { memory, base });
        }
        let space = session.space(self.space)?;
        Ok(LoadedImage::Mapped(Mapped::new(
            engine.memory(),
            space,
            base,
        )))
    }

    /// The image with its headers.
    pub fn parse<'a>(
        self,
        engine: &'a Session,
        session: &Inside,
    ) -> Result<Pe<LoadedImage<'a>>, Failure> {
        let image = self.image(engine, session);
        image.and_then(Pe::parse).about("image", self.base)
    }
}

/// Gives the image of a module of the kernel.
///
/// `pe` receives it; nothing of the image is read.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_FAULT`, `WVMI_ERROR_NULL_ARGUMENT`,
/// `WVMI_ERROR_NO_KERNEL`, or `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_module_pe(
    session: *mut wvmi_session,
    module: wvmi_module,
    pe: *mut wvmi_pe,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_module_pe") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(pe, "pe")?;
        let base = module.get(session.engine().windows()?).base();
        output.write(wvmi_pe {
            space: wvmi_space {
                kind: WVMI_SPACE_KERNEL,
                value: 0,
            },
            base: base.about("module", module.entry)?.0,
        });
        Ok(WVMI_OK)
    })
}

/// Gives the image of a module of a process.
///
/// `pe` receives it; nothing is read.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_user_module_pe(
    session: *mut wvmi_session,
    module: wvmi_user_module,
    pe: *mut wvmi_pe,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_user_module_pe") };
    call.run(|| {
        let session = call.session(session)?;
        session.engine().windows()?;
        let output = call.output(pe, "pe")?;
        output.write(wvmi_pe {
            space: wvmi_space {
                kind: WVMI_SPACE_PROCESS,
                value: module.process,
            },
            base: module.base,
        });
        Ok(WVMI_OK)
    })
}

/// A data directory of an image (`IMAGE_DATA_DIRECTORY`).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_pe_directory {
    /// Where it starts, relative to the base; 0 without one.
    pub rva: u32,
    /// Its size in bytes.
    pub size: u32,
}

impl From<&Directory> for wvmi_pe_directory {
    fn from(directory: &Directory) -> Self {
        Self {
            rva: directory.rva,
            size: directory.size,
        }
    }
}

/// Number of data directories of an image.
pub const WVMI_PE_DIRECTORIES: usize = 16;

const _: () = assert!(WVMI_PE_DIRECTORIES == DIRECTORIES);

/// The headers of an image, filled by `wvmi_pe_info()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_pe_details {
    /// Preferred base address (`ImageBase`).
    pub image_base: u64,
    /// Width of its addresses: 32 or 64.
    pub bits: u32,
    /// Machine (`Machine`): 0x8664 for x64, 0x14c for x86.
    pub machine: u32,
    /// Link time, seconds since 1970 or a hash (`TimeDateStamp`).
    pub time_date_stamp: u32,
    /// Flags of the file (`FileHeader.Characteristics`).
    pub characteristics: u32,
    /// Flags of the image (`DllCharacteristics`).
    pub dll_characteristics: u32,
    /// Subsystem (`Subsystem`): 1 native, 2 windows, 3 console.
    pub subsystem: u32,
    /// Entry point relative to the base; 0 without one (`AddressOfEntryPoint`).
    pub entry_point: u32,
    /// Size of the loaded image in bytes (`SizeOfImage`).
    pub size_of_image: u32,
    /// Size of all headers in bytes (`SizeOfHeaders`).
    pub size_of_headers: u32,
    /// Checksum (`CheckSum`).
    pub checksum: u32,
    /// Major version of the operating system that it asks for.
    pub os_major: u32,
    /// Minor version of the operating system that it asks for.
    pub os_minor: u32,
    /// Number of sections (`NumberOfSections`).
    pub section_count: u32,
    /// Always 0.
    pub reserved: u32,
    /// Data directories in their order: 0 exports, 1 imports, 2 resources,
    /// 3 exceptions, 4 security (`rva` is a file offset), 5 relocations, 6 debug,
    /// 9 thread-local storage, 10 load configuration, 12 import addresses,
    /// 13 delayed imports.
    pub directories: [wvmi_pe_directory; WVMI_PE_DIRECTORIES],
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_pe_details {}

fn describe(headers: &Headers) -> wvmi_pe_details {
    let mut directories = [wvmi_pe_directory { rva: 0, size: 0 }; WVMI_PE_DIRECTORIES];
    for (to, from) in directories.iter_mut().zip(headers.directories()) {
        *to = from.into();
    }
    wvmi_pe_details {
        image_base: headers.image_base,
        bits: match headers.format {
            pe::Format::Pe32 => 32,
            pe::Format::Pe32Plus => 64,
        },
        machine: headers.machine.into(),
        time_date_stamp: headers.time_date_stamp,
        characteristics: headers.characteristics.into(),
        dll_characteristics: headers.dll_characteristics.into(),
        subsystem: headers.subsystem.into(),
        entry_point: headers.entry_point,
        size_of_image: headers.size_of_image,
        size_of_headers: headers.size_of_headers,
        checksum: headers.checksum,
        os_major: headers.os_version.0.into(),
        os_minor: headers.os_version.1.into(),
        section_count: headers.section_count().into(),
        reserved: 0,
        directories,
    }
}

/// Reads the headers of an image.
///
/// `details` receives the facts, `size` is `sizeof *details`.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_FAULT` when the header page is not in memory;
/// `WVMI_ERROR_CORRUPT` when there is no image or its headers contradict
/// themselves; `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`;
/// `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_pe_info(
    session: *mut wvmi_session,
    pe: wvmi_pe,
    details: *mut wvmi_pe_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_pe_info") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.sized_output(details, size, "details")?;
        let image = pe.parse(session.engine(), &session)?;
        output.write(describe(image.headers()));
        Ok(WVMI_OK)
    })
}

/// The identity of the PDB that was made with an image, filled by
/// `wvmi_pe_codeview()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_pe_codeview_record {
    /// GUID, in the byte order of the record.
    pub guid: [u8; 16],
    /// Age.
    pub age: u32,
    /// Length of the whole name, which may be cut in `pdb`.
    pub pdb_length: u32,
    /// File name of the PDB without a path, UTF-8, NUL-terminated.
    pub pdb: [c_char; 256],
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_pe_codeview_record {}

/// Reads the CodeView record of an image: which PDB belongs to it.
///
/// `record` receives it, `size` is `sizeof *record`.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_NOT_FOUND` when the image has none; else as
/// `wvmi_pe_info()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_pe_codeview(
    session: *mut wvmi_session,
    pe: wvmi_pe,
    record: *mut wvmi_pe_codeview_record,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_pe_codeview") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.sized_output(record, size, "record")?;
        let found = pe.parse(session.engine(), &session)?.codeview();
        let found = found.and_then(|it| it.ok_or_else(|| Error::not_found("CodeView record")));
        let CodeView { pdb, guid, age } = found.about("image", pe.base)?;
        output.write(wvmi_pe_codeview_record {
            guid,
            age,
            pdb_length: u32::try_from(pdb.len()).unwrap_or(u32::MAX),
            pdb: copy_text(&pdb),
        });
        Ok(WVMI_OK)
    })
}
