//! A forged guest, and damage laid over it.

use std::{
    ptr::NonNull,
    sync::{Arc, OnceLock, RwLock},
};

use arbitrary::Arbitrary;
use winvmi::{
    Fault, FaultKind,
    arch::amd64::LongMode,
    core::{
        Capabilities, Driver, Gfn, Memory, PAGE_SIZE, Pa, Va,
        driver::{DriverInfo, PhysicalMemory, PinnedPage, Run},
    },
    os::windows::Windows,
    symbols::{Profile, read_isf},
};
use winvmi_forge::{Guest, Layout, Options};

/// A guest that is forged once, with what damage aims at.
pub struct Base {
    guest: Guest,
    /// Its memory side by side, so that a page is found without looking for it.
    bytes: Box<[u8]>,
    profile: Arc<Profile>,
    /// Addresses of the guest's structures.
    structures: Vec<u64>,
    /// Addresses of the handle tables, their pages, and the id table's.
    tables: Vec<u64>,
}

/// The oldest kernel first.
const LAYOUTS: [Layout; 3] = [Layout::Win7Sp1, Layout::Win10_2004, Layout::Win11_21H2];

/// What damage is laid over.
#[derive(Clone, Copy)]
pub enum Aim {
    Structures,
    HandleTables,
}

impl Base {
    /// The guest of a layout.
    fn get(layout: usize) -> &'static Self {
        static BASES: [OnceLock<Base>; 3] = [const { OnceLock::new() }; 3];
        BASES[layout].get_or_init(|| Self::forge(LAYOUTS[layout]))
    }

    fn forge(layout: Layout) -> Self {
        let options = Options {
            deep_handle_table: false,
            ..Options::default()
        };
        let guest = Guest::build(layout, &options).expect("the layouts are part of the project");
        let profile = read_isf(&layout.table_path()).expect("a sound table");
        Self {
            structures: structures(&guest),
            tables: tables(&guest),
            profile: Arc::new(profile),
            bytes: flat(&guest),
            guest,
        }
    }

    fn place(&self, aim: Aim, index: u16) -> u64 {
        let places = match aim {
            Aim::Structures => &self.structures,
            Aim::HandleTables => &self.tables,
        };
        places[usize::from(index) % places.len()]
    }
}

fn flat(guest: &Guest) -> Box<[u8]> {
    let memory = guest.memory();
    let mut bytes = vec![0; memory.end() as usize];
    for (number, frame) in memory.frames() {
        let start = (number * PAGE_SIZE) as usize;
        bytes[start..][..frame.len()].copy_from_slice(frame);
    }
    bytes.into_boxed_slice()
}

/// Words of a table's pages that are places of their own.
const TABLE_WORDS: u64 = 8;

/// The two governing words of every table (through its address) and the first words of its
/// top page, and of the page that the first of them leads to.
fn tables(guest: &Guest) -> Vec<u64> {
    let processes = guest.expected().processes.iter().map(|it| it.handle_table);
    let ids = guest
        .find_symbol("PspCidTable")
        .map(|it| guest.read_u64(it));
    let mut places = Vec::new();
    for table in processes.chain(ids).filter(|table| *table != 0) {
        let top = guest.peek_field(table, "_HANDLE_TABLE", "TableCode") & !7;
        places.extend([table, top]);
        for page in [top, guest.read_u64(top)] {
            places.extend((0..TABLE_WORDS).map(|word| page.wrapping_add(word * 16)));
        }
    }
    places.retain(|place| guest.translate(*place).is_some());
    places
}

fn structures(guest: &Guest) -> Vec<u64> {
    let expected = guest.expected();
    let processes = expected.processes.iter();
    let processes = processes.flat_map(|it| [it.object, it.handle_table, it.token, it.peb]);
    let mut places: Vec<u64> = processes
        .chain(expected.threads.iter().map(|it| it.object))
        .chain(expected.modules.iter().map(|it| it.entry))
        .chain(expected.objects.iter().map(|it| it.address))
        .chain(expected.processors.iter().map(|it| it.kprcb))
        .collect();
    for symbol in ["PsActiveProcessHead", "PspCidTable", "PsLoadedModuleList"] {
        places.extend(guest.find_symbol(symbol));
    }
    places.retain(|place| guest.translate(*place).is_some());
    places
}

/// What a word is overwritten with.
#[derive(Arbitrary, Debug)]
pub enum Value {
    Any(u64),
    Small(u8),
    /// Near a structure: the damage that loops are made of.
    Near(u16, i16),
    AllOnes,
}

/// One overwritten word, near a structure.
#[derive(Arbitrary, Debug)]
pub struct Patch {
    place: u16,
    offset: i16,
    value: Value,
}

type Frame = Box<[u8; PAGE_SIZE as usize]>;

/// Physical memory of a guest with patched frames.
struct Patched {
    base: &'static Base,
    /// A few, by number. They are replaced between inputs only.
    frames: RwLock<Vec<(u64, Frame)>>,
}

impl Patched {
    fn new(base: &'static Base) -> Self {
        Self {
            base,
            frames: RwLock::default(),
        }
    }

    /// Makes these the only patches.
    fn patch(&self, aim: Aim, patches: &[Patch]) {
        let mut frames = self.frames.write().expect("one thread");
        frames.clear();
        for patch in patches {
            self.base.apply(&mut frames, aim, patch);
        }
    }

    fn frame(&self, number: u64) -> Option<NonNull<[u8; PAGE_SIZE as usize]>> {
        let frames = self.frames.read().expect("one thread");
        match frames.binary_search_by_key(&number, |it| it.0) {
            Ok(index) => Some(NonNull::from(&*frames[index].1)),
            Err(_) => self.base.frame(number).map(NonNull::from),
        }
    }
}

impl Base {
    fn frame(&self, number: u64) -> Option<&[u8; PAGE_SIZE as usize]> {
        let start = usize::try_from(number.checked_mul(PAGE_SIZE)?).ok()?;
        self.bytes.get(start..)?.first_chunk()
    }

    fn apply(&self, frames: &mut Vec<(u64, Frame)>, aim: Aim, patch: &Patch) {
        let near = |place, offset: i16| self.place(aim, place).wrapping_add_signed(offset.into());
        let value = match patch.value {
            Value::Any(value) => value,
            Value::Small(value) => value.into(),
            Value::Near(place, offset) => near(place, offset),
            Value::AllOnes => u64::MAX,
        };
        let va = near(patch.place, patch.offset) & !7;
        let Some(pa) = self.guest.translate(va) else {
            return;
        };
        let number = pa / PAGE_SIZE;
        let Some(whole) = self.frame(number) else {
            return;
        };
        let found = frames.binary_search_by_key(&number, |it| it.0);
        let index = found.unwrap_or_else(|index| {
            frames.insert(index, (number, Box::new(*whole)));
            index
        });
        let start = (pa % PAGE_SIZE) as usize;
        frames[index].1[start..start + 8].copy_from_slice(&value.to_le_bytes());
    }
}

impl Driver for Patched {
    fn info(&self) -> DriverInfo {
        DriverInfo {
            name: "patched",
            format: "",
            vcpus: 0,
            memory_size: self.base.guest.memory().total_bytes(),
        }
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::PHYSICAL_READ
    }

    fn physical(&self) -> Option<&dyn PhysicalMemory> {
        Some(self)
    }
}

impl PhysicalMemory for Patched {
    fn read(&self, pa: Pa, buffer: &mut [u8]) -> Result<(), Fault> {
        let page = self.pin(pa.gfn());
        match page.is_some_and(|page| page.copy_to(pa.page_offset(), buffer)) {
            true => Ok(()),
            false => Err(Fault::physical(pa, FaultKind::NotInImage)),
        }
    }

    fn pin(&self, gfn: Gfn) -> Option<PinnedPage<'_>> {
        let frame = self.frame(gfn.0)?;
        // SAFETY: the base is never freed, and a patched frame not before the next
        // input, when nobody uses this page any more.
        Some(unsafe { PinnedPage::new(frame.cast()) })
    }

    fn next_run(&self, _from: Gfn) -> Option<Run> {
        None
    }
}

/// A guest that is patched anew for each input. Finding where the fields of all
/// structures are takes longer than a tour.
struct Patchable {
    memory: Arc<Patched>,
    windows: Windows,
}

impl Patchable {
    fn of(layout: usize) -> &'static Self {
        static ALL: [OnceLock<Patchable>; 3] = [const { OnceLock::new() }; 3];
        ALL[layout].get_or_init(|| {
            let memory = Arc::new(Patched::new(Base::get(layout)));
            let windows = open(&memory).expect("a sound guest");
            Self { memory, windows }
        })
    }
}

fn open(memory: &Arc<Patched>) -> Option<Windows> {
    let base = memory.base;
    let memory = Memory::new(Arc::clone(memory) as Arc<dyn Driver>, 4096);
    memory.set_translate(Arc::new(LongMode::new(4)));
    let kernel = &base.guest.expected().kernel;
    let root = Pa(kernel.system_root);
    let profile = Arc::clone(&base.profile);
    Windows::new(Arc::new(memory), Va(kernel.base), root, profile).ok()
}

/// One input in so many is opened on the damaged guest, too.
const OPENED: u8 = 32;

/// Shows `visit` the Windows layer on the patched guest of a layout.
pub fn with_windows(choice: u8, aim: Aim, patches: &[Patch], visit: impl FnOnce(&Windows)) {
    let layout = usize::from(choice) % LAYOUTS.len();
    if usize::from(choice) / LAYOUTS.len() % usize::from(OPENED) == 0 {
        let memory = Arc::new(Patched::new(Base::get(layout)));
        memory.patch(aim, patches);
        if let Some(windows) = open(&memory) {
            visit(&windows);
        }
        return;
    }
    let it = Patchable::of(layout);
    it.memory.patch(aim, patches);
    it.windows.memory().flush();
    it.windows.refresh();
    visit(&it.windows);
}
