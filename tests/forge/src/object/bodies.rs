//! Bodies of objects: each is filled and noted as expected.

use crate::expected::{ExpectedFact, ExpectedText};
use crate::guest::Guest;
use crate::user::section::Section;

/// How waiting resets events and timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// Not at all (a notification).
    Manual = 1,
    /// By itself (a synchronization).
    Auto = 2,
}

/// Numbers of the dispatcher objects (`KOBJECTS`).
const EVENT: u64 = 0;
const MUTANT: u64 = 2;
const SEMAPHORE: u64 = 5;
const TIMER: u64 = 8;

/// The target of a link is computed by a driver's function.
const CALLBACK: u64 = 0x10;

impl Guest {
    /// Notes numbers that the body of an object holds.
    pub fn expect_facts(&mut self, object: u64, facts: &[(&str, u64)]) {
        let facts = facts.iter().map(|(name, value)| ExpectedFact {
            object,
            name: (*name).to_owned(),
            value: *value,
        });
        self.expected.facts.extend(facts);
    }

    /// Notes a text that the body of an object leads to.
    pub fn expect_text(&mut self, object: u64, name: &str, text: &str) {
        self.expected.texts.push(ExpectedText {
            object,
            name: name.to_owned(),
            text: text.to_owned(),
        });
    }

    fn set_dispatcher(&mut self, object: u64, kind: u64, state: i32) {
        let state = u64::from(state.cast_unsigned());
        self.poke_field(object, "_DISPATCHER_HEADER", "Type", kind);
        self.poke_field(object, "_DISPATCHER_HEADER", "SignalState", state);
    }

    /// Fills an event.
    pub fn fill_event(&mut self, event: u64, reset: Reset, signalled: bool) {
        let kind = EVENT + reset as u64 - Reset::Manual as u64;
        self.set_dispatcher(event, kind, signalled.into());
        let facts = [
            ("reset_mode", reset as u64),
            ("signalled", signalled.into()),
        ];
        self.expect_facts(event, &facts);
    }

    /// Fills a mutex that a thread acquired `depth` times; an earlier owner died.
    pub fn fill_mutant(&mut self, mutant: u64, owner: u64, depth: i32) {
        let count = 1 - depth;
        self.set_dispatcher(mutant, MUTANT, count);
        self.poke_field(mutant, "_KMUTANT", "OwnerThread", owner);
        self.poke_field(mutant, "_KMUTANT", "Abandoned", 1);
        let count = u64::from(count.cast_unsigned());
        let facts = [("owner_thread", owner), ("count", count), ("abandoned", 1)];
        self.expect_facts(mutant, &facts);
    }

    /// Fills a semaphore.
    pub fn fill_semaphore(&mut self, semaphore: u64, count: u32, limit: u32) {
        self.set_dispatcher(semaphore, SEMAPHORE, count.cast_signed());
        self.poke_field(semaphore, "_KSEMAPHORE", "Limit", limit.into());
        let facts = [("count", count.into()), ("limit", limit.into())];
        self.expect_facts(semaphore, &facts);
    }

    /// Fills a timer that runs.
    pub fn fill_timer(&mut self, timer: u64, reset: Reset, due_time: u64, period: u32) {
        let kind = TIMER + reset as u64 - Reset::Manual as u64;
        self.set_dispatcher(timer, kind, 0);
        self.poke_field(timer, "_DISPATCHER_HEADER", "Inserted", 1);
        self.poke_field(timer, "_ETIMER", "KeTimer.DueTime.QuadPart", due_time);
        self.poke_field(timer, "_ETIMER", "Period", period.into());
        let facts = [
            ("reset_mode", reset as u64),
            ("due_time", due_time),
            ("period", period.into()),
            ("signalled", 0),
            ("running", 1),
        ];
        self.expect_facts(timer, &facts);
    }

    /// Fills the connection port of a server, with the two ends of a connection.
    pub fn fill_ports(&mut self, connection: u64, owner: u64, client_owner: u64) {
        let size = self.body_size("ALPC Port");
        let server = self.create_unnamed("ALPC Port", size);
        let client = self.create_unnamed("ALPC Port", size);
        let information = self.allocate(self.profile.size_of("_ALPC_COMMUNICATION_INFO"));
        let mut record = self.record("_ALPC_COMMUNICATION_INFO");
        record
            .set("ConnectionPort", connection)
            .set("ServerCommunicationPort", server)
            .set("ClientCommunicationPort", client);
        self.write_record(information, &record);
        for (port, owner) in [(connection, owner), (server, owner), (client, client_owner)] {
            self.poke_field(port, "_ALPC_PORT", "CommunicationInfo", information);
            // The low bits are flags.
            self.poke_field(port, "_ALPC_PORT", "OwnerProcess", owner | 1);
            let facts = [
                ("owner_process", owner),
                ("connection_port", connection),
                ("server_port", server),
                ("client_port", client),
            ];
            self.expect_facts(port, &facts);
        }
    }

    /// Fills a driver with the module of the given number and a key among the services.
    pub fn fill_driver(&mut self, driver: u64, module: usize, service: &str) {
        let module = self.expected.modules[module].clone();
        let (buffer, length) = self.allocate_string(service);
        let extension = self.allocate(self.profile.size_of("_DRIVER_EXTENSION"));
        let mut record = self.record("_DRIVER_EXTENSION");
        record
            .set("DriverObject", driver)
            .set_string("ServiceKeyName", length, buffer);
        self.write_record(extension, &record);
        let create = module.base + 0x1100;
        let values = [
            ("DriverStart", module.base),
            ("DriverSize", module.size.into()),
            ("DriverSection", module.entry),
            ("DriverExtension", extension),
            ("Flags", 0x12),
            ("DriverInit", module.base + 0x1000),
            ("DriverUnload", module.base + 0x1200),
            ("MajorFunction[0]", create),
        ];
        for (field, value) in values {
            self.poke_field(driver, "_DRIVER_OBJECT", field, value);
        }
        let facts = [
            ("start", module.base),
            ("size", module.size.into()),
            ("module_entry", module.entry),
            ("flags", 0x12),
            ("init", module.base + 0x1000),
            ("start_io", 0),
            ("unload", module.base + 0x1200),
            ("major_function_0", create),
        ];
        self.expect_facts(driver, &facts);
        self.expect_text(driver, "service_key", service);
    }

    /// Puts a device on top of another.
    pub fn attach_device(&mut self, upper: u64, lower: u64) {
        self.poke_field(lower, "_DEVICE_OBJECT", "AttachedDevice", upper);
        let extension = self.peek_field(upper, "_DEVICE_OBJECT", "DeviceObjectExtension");
        self.poke_field(extension, "_DEVOBJ_EXTENSION", "AttachedTo", lower);
        self.expect_facts(lower, &[("upper_device", upper), ("lower_device", 0)]);
        self.expect_facts(upper, &[("upper_device", 0), ("lower_device", lower)]);
    }

    /// Fills a job of no processes.
    pub fn fill_empty_job(&mut self, job: u64) {
        let list = self.profile.offset("_EJOB", "ProcessListHead");
        for field in ["ProcessListHead.Flink", "ProcessListHead.Blink"] {
            self.poke_field(job, "_EJOB", field, job + list);
        }
    }

    /// Backs a section object by a section.
    pub fn fill_section(&mut self, object: u64, section: &Section) {
        let area = section.control_area;
        let segment = self.peek_field(area, "_CONTROL_AREA", "Segment");
        let size = self.peek_field(segment, "_SEGMENT", "SizeOfSegment");
        let file = self.peek_field(area, "_CONTROL_AREA", "FilePointer") & !0xf;
        let flag = if file == 0 { 0x20 } else { 0x4 };
        if self.profile.has_type("_SECTION") {
            self.poke_field(object, "_SECTION", "u1.ControlArea", area);
            self.poke_field(object, "_SECTION", "SizeOfSection", size);
            self.poke_field(object, "_SECTION", "u.Flags.File", (file != 0).into());
            self.poke_field(object, "_SECTION", "StartingVpn", 0x7_fe00);
            self.poke_field(object, "_SECTION", "EndingVpn", 0x7_fe01);
        } else {
            self.poke_field(object, "_SECTION_OBJECT", "Segment", segment);
            self.poke_field(object, "_SECTION_OBJECT", "StartingVa", 0x7fe0_0000);
            self.poke_field(object, "_SECTION_OBJECT", "EndingVa", 0x7fe0_2000);
        }
        let facts = [
            ("start", 0x7fe0_0000),
            ("end", 0x7fe0_2000),
            ("size", size),
            ("control_area", area),
            ("segment", segment),
            ("file", file),
            ("flags", flag),
        ];
        self.expect_facts(object, &facts);
    }

    /// Leads a file to the sections that hold its pages.
    pub fn fill_file_sections(&mut self, file: u64, data: &Section, image: Option<&Section>) {
        let pointers = self.allocate(self.profile.size_of("_SECTION_OBJECT_POINTERS"));
        let mut record = self.record("_SECTION_OBJECT_POINTERS");
        record
            .set("DataSectionObject", data.control_area)
            .set("ImageSectionObject", image.map_or(0, |it| it.control_area));
        self.write_record(pointers, &record);
        self.poke_field(file, "_FILE_OBJECT", "SectionObjectPointer", pointers);
        let size = |section: &Section| section.pages.len() as u64 * crate::memory::PAGE_SIZE;
        let facts = [
            ("data_section", data.control_area),
            ("data_section_size", size(data)),
            ("image_section", image.map_or(0, |it| it.control_area)),
            ("image_section_size", image.map_or(0, size)),
        ];
        self.expect_facts(file, &facts);
    }

    /// Notes who opened a key and where in its hive it lies.
    pub fn fill_key(&mut self, key: u64, pid: u32, cell: u32) {
        let block = self.peek_field(key, "_CM_KEY_BODY", "KeyControlBlock");
        let parent = self.peek_field(block, "_CM_KEY_CONTROL_BLOCK", "ParentKcb");
        self.poke_field(block, "_CM_KEY_CONTROL_BLOCK", "KeyCell", cell.into());
        self.poke_field(key, "_CM_KEY_BODY", "ProcessID", pid.into());
        let facts = [
            ("control_block", block),
            ("parent", parent),
            ("cell", cell.into()),
            ("pid", pid.into()),
        ];
        self.expect_facts(key, &facts);
    }

    /// Has a driver's function give the target of a link; false where links cannot.
    pub fn compute_link(&mut self, link: u64) -> bool {
        let can = self.profile.has_field("_OBJECT_SYMBOLIC_LINK", "Callback");
        if can {
            self.poke_field(link, "_OBJECT_SYMBOLIC_LINK", "Flags", CALLBACK);
            self.expected.texts.retain(|text| text.object != link);
        }
        self.expect_facts(link, &[("callback", can.into())]);
        can
    }
}
