//! A caller with handles that it opens, uses and frees as the input says.

use std::{
    cell::RefCell,
    ffi::{CString, c_char, c_void},
    ptr,
    sync::OnceLock,
};

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use winvmi_forge::{DumpType, Guest, ImageFormat, Layout, Options};
use winvmi_fuzz::{
    c::{self, Handle, IterKind, Object, Place, Scatter, Space},
    memory_file::MemoryFile,
};

use crate::room::Room;

/// Translations that a session keeps.
const TRANSLATIONS: usize = 1024;

/// Sessions that are open at the same time.
const SESSIONS: usize = 4;

/// The image that all sessions open, and where its symbols are.
struct Ground {
    image: MemoryFile,
    target: CString,
    symbols: CString,
    places: Vec<u64>,
    /// Keeps the parsed symbols in the library's hands.
    _keeper: usize,
}

impl Ground {
    fn get() -> &'static Self {
        static GROUND: OnceLock<Ground> = OnceLock::new();
        GROUND.get_or_init(Self::lay)
    }

    fn lay() -> Self {
        let options = Options {
            deep_handle_table: false,
            ..Options::default()
        };
        let guest = Guest::build(Layout::Win10_2004, &options).expect("a layout of the project");
        let format = ImageFormat::Dump(DumpType::BitmapKernel);
        let image = MemoryFile::new(&guest.image_bytes(format));
        let expected = guest.expected();
        let mut places: Vec<u64> = expected.processes.iter().map(|it| it.object).collect();
        places.extend(expected.threads.iter().map(|it| it.object));
        places.extend(expected.objects.iter().map(|it| it.address));
        places.extend(expected.modules.iter().flat_map(|it| [it.entry, it.base]));
        let text = |text: &str| CString::new(text).expect("no NUL");
        let mut ground = Self {
            target: text(&image.path().display().to_string()),
            symbols: text(&Layout::symbol_directory().display().to_string()),
            image,
            places,
            _keeper: 0,
        };
        ground._keeper = ground.open(ptr::null_mut()).addr();
        ground
    }

    /// A session with symbols; `target` NULL is the image.
    fn open(&self, target: *const c_char) -> Handle {
        let target = if target.is_null() {
            self.target.as_ptr()
        } else {
            target
        };
        let (mut config, mut session) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: both outputs are locals, both texts end with NUL.
        unsafe {
            c::CONFIG_NEW[0](&mut config);
            c::CONFIG_TEXT[1](config, self.symbols.as_ptr());
            c::CONFIG_TEXT[2](config, c"".as_ptr());
            // Small: a session is opened for nearly every input.
            c::CONFIG_NUMBER[0](config, TRANSLATIONS);
            c::OPEN[0](target, config, &mut session);
            c::wvmi_config_free(config);
        }
        let _ = &self.image;
        session
    }
}

thread_local! {
    /// Open sessions that an earlier sequence left: opening takes longer than all the
    /// calls of most sequences.
    static SPARE: RefCell<Vec<Handle>> = const { RefCell::new(Vec::new()) };
}

/// An open session of the image.
fn session_of_the_image() -> Handle {
    let spare = SPARE.with_borrow_mut(Vec::pop);
    spare.unwrap_or_else(|| Ground::get().open(ptr::null()))
}

fn is_open(session: Handle) -> bool {
    let mut name = [0; 16];
    // SAFETY: any number may stand for a session, and the buffer is a local.
    let status =
        unsafe { c::SESSION_NAME[0](session, name.as_mut_ptr(), name.len(), ptr::null_mut()) };
    status >= 0
}

/// Everything that the sequence owns.
pub struct Caller {
    /// Whether its sessions are closed at its end, before what belongs to them is freed.
    closes: bool,
    sessions: Vec<Handle>,
    iters: Vec<(IterKind, Handle)>,
    mappings: Vec<Handle>,
}

fn pick<T: Copy>(input: &mut Unstructured<'_>, choices: &[T]) -> Result<T> {
    input.choose(choices).copied()
}

/// A size: mostly a likely one, sometimes a tiny or a large one.
fn size(input: &mut Unstructured<'_>) -> Result<usize> {
    pick(input, &[0, 1, 7, 8, 16, 64, 256, 400, 1024, 4096, 70_000])
}

fn object(input: &mut Unstructured<'_>) -> Result<Object> {
    match input.ratio(7_u8, 8_u8)? {
        true => Ok(Object(pick(input, &Ground::get().places)?)),
        false => Ok(Object(input.arbitrary()?)),
    }
}

fn address(input: &mut Unstructured<'_>) -> Result<u64> {
    let Object(place) = object(input)?;
    Ok(place.wrapping_add_signed(input.arbitrary::<i16>()?.into()))
}

fn space(input: &mut Unstructured<'_>) -> Result<Space> {
    let kind = input.int_in_range(0..=6)?;
    let Object(value) = object(input)?;
    Ok(Space { kind, value })
}

fn name(input: &mut Unstructured<'_>) -> Result<*const c_char> {
    let names = [
        c"System",
        c"\\",
        c"\\??\\C:\\Windows",
        c"\\BaseNamedObjects\\Global\\Daily",
        c"nt!PsActiveProcessHead",
        c"_EPROCESS",
        c"Pcb.DirectoryTableBase",
        c"\xff\xfe",
        c"",
        c"a.b.c.d",
    ];
    Ok(match input.ratio(1_u8, 16_u8)? {
        true => ptr::null(),
        false => pick(input, &names)?.as_ptr(),
    })
}

/// A count output, sometimes NULL.
fn optional(input: &mut Unstructured<'_>, value: &mut usize) -> Result<*mut usize> {
    Ok(match input.ratio(1_u8, 8_u8)? {
        true => ptr::null_mut(),
        false => value,
    })
}

impl Caller {
    pub fn new(closes: bool) -> Self {
        Self {
            closes,
            sessions: vec![session_of_the_image()],
            iters: Vec::new(),
            mappings: Vec::new(),
        }
    }

    /// A session: open, closed, NULL or a number that never was one.
    fn session(&self, input: &mut Unstructured<'_>) -> Result<Handle> {
        match input.int_in_range(0..=31)? {
            0 => Ok(ptr::null_mut()),
            1 => Ok(ptr::without_provenance_mut(input.arbitrary()?)),
            _ => pick(input, &self.sessions),
        }
    }

    /// Makes one call, or a few that belong together.
    pub fn call(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        match input.int_in_range(0..=9)? {
            0 => self.begin(input),
            1 => self.step(input),
            2 => self.step_many(input),
            3 => self.free(input),
            4 => self.about_object(input),
            5 => self.look_up(input),
            6 => self.read(input),
            7 => self.map(input),
            8 => self.ask_symbols(input),
            _ => self.about_session(input),
        }
    }

    fn begin(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let session = self.session(input)?;
        let (object, space) = (object(input)?, space(input)?);
        let mut iter = ptr::null_mut();
        let kinds = [
            IterKind::Process,
            IterKind::Thread,
            IterKind::Module,
            IterKind::Handle,
            IterKind::Range,
            IterKind::Directory,
            IterKind::Device,
            IterKind::ObjectType,
            IterKind::TerminalSession,
        ];
        let kind = pick(input, &kinds)?;
        let sources = input.int_in_range(0..=6)?;
        let (start, end) = (address(input)?, input.arbitrary()?);
        // SAFETY: the only pointer is to a local.
        let status = unsafe {
            match kind {
                IterKind::Process => match sources {
                    5 => c::OBJECT_ITER_NEW[4](session, object, &mut iter),
                    6 => c::OBJECT_ITER_NEW[5](session, object, &mut iter),
                    _ => c::PROCESS_ITER_NEW[0](session, sources, &mut iter),
                },
                IterKind::Thread => c::OBJECT_ITER_NEW[0](session, object, &mut iter),
                IterKind::Module => c::ITER_NEW[0](session, &mut iter),
                IterKind::Handle => c::OBJECT_ITER_NEW[1](session, object, &mut iter),
                IterKind::Range => c::RANGE_ITER_NEW[0](session, space, start, end, &mut iter),
                IterKind::Directory => c::OBJECT_ITER_NEW[2](session, object, &mut iter),
                IterKind::Device => c::OBJECT_ITER_NEW[3](session, object, &mut iter),
                IterKind::ObjectType => c::ITER_NEW[1](session, &mut iter),
                IterKind::TerminalSession => c::ITER_NEW[2](session, &mut iter),
            }
        };
        assert_eq!(status == 0, !iter.is_null());
        if status == 0 {
            self.iters.push((kind, iter));
        }
        Ok(())
    }

    fn step(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let Some(&(kind, iter)) = self.iters.last() else {
            return Ok(());
        };
        let room = Room::new(size(input)?);
        let mut object = Object(0);
        // SAFETY: the iterator is alive and the room has its size.
        let status = unsafe {
            match kind {
                IterKind::Process => c::NEXT_OBJECT[0](iter, &mut object),
                IterKind::Thread => c::NEXT_OBJECT[1](iter, &mut object),
                IterKind::Module => c::NEXT_OBJECT[2](iter, &mut object),
                IterKind::Handle => c::NEXT_DETAILS[0](iter, room.pointer(), room.size()),
                IterKind::Range => c::NEXT_DETAILS[1](iter, room.pointer(), room.size()),
                IterKind::Directory => c::NEXT_DETAILS[2](iter, room.pointer(), room.size()),
                IterKind::Device => c::NEXT_DETAILS[3](iter, room.pointer(), room.size()),
                IterKind::ObjectType => c::NEXT_DETAILS[4](iter, room.pointer(), room.size()),
                IterKind::TerminalSession => c::NEXT_OBJECT[3](iter, &mut object),
            }
        };
        room.assert_untouched_on_error(status);
        Ok(())
    }

    fn step_many(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let Some(&(kind, iter)) = self.iters.last() else {
            return Ok(());
        };
        let (stride, capacity) = (size(input)?.min(4096), input.int_in_range(0..=9)?);
        let room = Room::new(stride * capacity);
        let mut count = usize::MAX;
        let next = c::NEXT_MANY[kind as usize];
        // SAFETY: the iterator is alive and the room holds the array.
        let status = unsafe { next(iter, room.pointer(), stride, capacity, &mut count) };
        assert!(count <= capacity || status < 0, "{count} of {capacity}");
        Ok(())
    }

    fn free(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let nth = usize::from(input.arbitrary::<u8>()?);
        if input.arbitrary()? && !self.iters.is_empty() {
            let (kind, iter) = self.iters.swap_remove(nth % self.iters.len());
            // SAFETY: it is alive and leaves the list.
            unsafe { kind.free()(iter) };
        } else if !self.mappings.is_empty() {
            let mapping = self.mappings.swap_remove(nth % self.mappings.len());
            // SAFETY: it is alive and leaves the list.
            unsafe { c::wvmi_mapping_free(mapping) };
        }
        Ok(())
    }

    fn about_object(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let (session, object) = (self.session(input)?, object(input)?);
        let room = Room::new(size(input)?);
        let (mut narrow, mut wide, mut result) = (0, 0, Object(0));
        let mut length = 0;
        let length = optional(input, &mut length)?;
        let (place, capacity) = (room.pointer::<c_void>(), room.size());
        let handle = input.arbitrary::<u16>()?.into();
        // SAFETY: all outputs are locals or have the size that is told.
        unsafe {
            match input.int_in_range(0..=8)? {
                7 => {
                    let text = pick(input, c::TEXT_OF)?;
                    let kind = input.int_in_range(0..=8)?;
                    text(session, object, kind, room.pointer(), capacity, length);
                }
                8 => {
                    let text = pick(input, c::UNITS_OF)?;
                    let kind = input.int_in_range(0..=8)?;
                    text(session, object, kind, room.pointer(), capacity / 2, length);
                }
                0 => {
                    let text = pick(input, c::TEXT)?;
                    text(session, object, room.pointer(), capacity, length);
                }
                1 => {
                    let info = pick(input, c::INFO)?;
                    room.assert_untouched_on_error(info(session, object, place, capacity));
                }
                2 => {
                    pick(input, c::GET_U32)?(session, object, &mut narrow);
                }
                3 => {
                    pick(input, c::GET_U64)?(session, object, &mut wide);
                }
                4 => {
                    pick(input, c::GET_OBJECT)?(session, object, &mut result);
                }
                5 => {
                    let info = c::HANDLE_INFO[0];
                    let status = info(session, object, handle, place, capacity);
                    room.assert_untouched_on_error(status);
                }
                _ => {
                    let thread = self::object(input)?;
                    c::HANDLE_OBJECT[0](session, object, handle, thread, &mut result);
                }
            }
        }
        Ok(())
    }

    fn look_up(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let session = self.session(input)?;
        let mut found = Object(0);
        let number: u16 = input.arbitrary()?;
        let address = address(input)?;
        // SAFETY: the output is a local.
        unsafe {
            match input.int_in_range(0..=3)? {
                0 => pick(input, c::BY_ID)?(session, number.into(), &mut found),
                1 => pick(input, c::BY_VCPU)?(session, number, &mut found),
                2 => pick(input, c::FIXED)?(session, &mut found),
                _ => c::AT[0](session, address, &mut found),
            }
        };
        Ok(())
    }

    fn read(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let session = self.session(input)?;
        let (space, address) = (space(input)?, address(input)?);
        let (room, states) = (Room::new(size(input)?), Room::new(size(input)?.min(64)));
        let mut done = 0;
        let done = optional(input, &mut done)?;
        let kind = input.int_in_range(0..=5)?;
        let place: Place = room.pointer();
        let (buffer, text, capacity) = (room.pointer(), room.pointer(), room.size());
        // SAFETY: all outputs are locals or have the size that is told.
        unsafe {
            match input.int_in_range(0..=5)? {
                0 => c::READ[0](session, space, address, buffer, capacity, done),
                1 => c::READ_TEXT[0](session, space, address, kind, text, capacity, done),
                2 => c::READ_STRING[0](session, space, address, 9000, text, capacity, done),
                3 => c::READ_SPARSE[0](
                    session,
                    space,
                    address,
                    buffer,
                    capacity,
                    states.pointer(),
                    states.size(),
                    done,
                ),
                4 => c::TRANSLATE[0](session, space, address, place, capacity),
                _ => self.scatter(session, space, address, &room),
            }
        };
        Ok(())
    }

    fn scatter(&self, session: Handle, space: Space, address: u64, room: &Room) -> i32 {
        let request = Scatter {
            space,
            address,
            buffer: room.pointer(),
            size: room.size(),
            done: 0,
            status: 0,
            fault: 0,
        };
        let mut requests = [request; 3];
        requests[1].address = u64::MAX;
        let (first, count) = (requests.as_mut_ptr(), requests.len());
        // SAFETY: the requests are locals and their buffer has its size.
        unsafe { c::READ_SCATTER[0](session, first, size_of::<Scatter>(), count) }
    }

    fn map(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let session = self.session(input)?;
        let (space, address) = (space(input)?, address(input)?);
        let length = pick(input, &[0, 1, 4096, 70_000, u64::MAX])?;
        let (mut mapping, mut count) = (ptr::null_mut(), 0);
        // SAFETY: the output is a local.
        let status = unsafe { c::MAP[0](session, space, address, length, &mut mapping) };
        assert_eq!(status == 0, !mapping.is_null());
        if status == 0 {
            self.mappings.push(mapping);
            let (stride, capacity) = (size(input)?.min(64), input.int_in_range(0..=4)?);
            let room = Room::new(stride * capacity);
            let place = room.pointer();
            // SAFETY: the mapping is alive and the room holds the array.
            unsafe { c::SEGMENTS[0](mapping, place, stride, capacity, &mut count) };
        }
        Ok(())
    }

    fn ask_symbols(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let session = self.session(input)?;
        let (first, second) = (name(input)?, name(input)?);
        let room = Room::new(size(input)?);
        let (place, capacity) = (room.pointer::<c_void>(), room.size());
        let addresses = [address(input)?, address(input)?];
        let mut value = 0;
        // SAFETY: all outputs are locals or have the size that is told.
        unsafe {
            match input.int_in_range(0..=4)? {
                0 => pick(input, c::NAMED)?(session, first, &mut value),
                4 => {
                    let (process, mut found, mut length) = (object(input)?, Object(0), 0);
                    let length = optional(input, &mut length)?;
                    let text = room.pointer();
                    c::RESOLVE[0](session, first, process, &mut found, text, capacity, length)
                }
                1 => c::FIELD[0](session, first, second, place, capacity),
                2 => c::SYMBOLS_AT[0](session, addresses.as_ptr(), 2, place, capacity / 2),
                _ => c::REGISTERS[0](session, input.arbitrary()?, place, capacity),
            }
        };
        Ok(())
    }

    fn about_session(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        if input.arbitrary()? && self.sessions.len() < SESSIONS {
            let session = match input.ratio(1_u8, 4_u8)? {
                true => Ground::get().open(name(input)?),
                false => session_of_the_image(),
            };
            self.sessions.push(session);
            return Ok(());
        }
        let session = self.session(input)?;
        let room = Room::new(size(input)?);
        let (place, capacity) = (room.pointer::<c_void>(), room.size());
        let mut length = 0;
        let length = optional(input, &mut length)?;
        // SAFETY: all outputs are locals or have the size that is told, and any
        // number may stand for a session.
        unsafe {
            match input.int_in_range(0..=3)? {
                0 => c::SESSION_INFO[0](session, place, capacity),
                1 => c::SESSION_NAME[0](session, room.pointer(), capacity, length),
                2 => c::LAST_ERROR[0](place, capacity),
                // The keeper's handle may be guessed: it stays open.
                _ if session.addr() == Ground::get()._keeper => 0,
                _ => {
                    let closes = input.ratio(1_u8, 8_u8)?;
                    let what = if closes {
                        2
                    } else {
                        input.int_in_range(0..=1)?
                    };
                    c::SESSION[what](session)
                }
            }
        };
        Ok(())
    }
}

impl Drop for Caller {
    /// Sessions first: what belongs to them must survive that.
    fn drop(&mut self) {
        if self.closes {
            for session in self.sessions.drain(..) {
                // SAFETY: any number may stand for a session.
                unsafe { c::SESSION[2](session) };
            }
        }
        for (kind, iter) in self.iters.drain(..) {
            // SAFETY: it is alive and leaves the list.
            unsafe { kind.free()(iter) };
        }
        for mapping in self.mappings.drain(..) {
            // SAFETY: it is alive and leaves the list.
            unsafe { c::wvmi_mapping_free(mapping) };
        }
        self.sessions.retain(|&session| is_open(session));
        SPARE.with_borrow_mut(|spare| spare.append(&mut self.sessions));
    }
}
