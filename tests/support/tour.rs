//! A tour through everything that a Windows kernel's structures tell.
//!
//! Whatever the guest holds, the tour must end: errors and gaps are counted,
//! never a reason to stop.

use winvmi::{
    Result,
    core::Va,
    os::windows::{
        DeviceObject, DriverObject, HandleTable, JobObject, LoaderOrder, Module, Object,
        ParameterText, Peb, Process, ProcessSources, Region, Teb, Thread, Token, UserModule,
        Windows,
    },
    pe::{ImageLayout, Pe},
};

/// Bytes of environment, extracted images and the like that are looked at.
const SAMPLE: usize = 4096;

/// What a tour found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tour {
    /// Processes of the active list.
    pub processes: usize,
    /// Threads of those processes.
    pub threads: usize,
    /// Open handles of those processes.
    pub handles: usize,
    /// Regions of those processes.
    pub regions: usize,
    /// Modules of those processes.
    pub user_modules: usize,
    /// Kernel modules.
    pub modules: usize,
    /// Objects in the directories of the namespace.
    pub named_objects: usize,
    /// Elements that could not be had, of any kind.
    pub gaps: usize,
    /// Elements of one iterator at most; more is an iterator that does not end.
    limit: usize,
}

impl Tour {
    /// Goes everywhere; takes at most `limit` elements of an iterator.
    pub fn of(windows: &Windows, limit: usize) -> Self {
        let mut tour = Self {
            limit,
            ..Self::default()
        };
        tour.kernel(windows);
        tour.processes = tour.each(windows.processes(), |tour, it| tour.process(&it));
        tour.modules = tour.each(windows.modules(), |_, it| module(&it));
        tour.namespace(windows);
        tour
    }

    /// How many elements of each kind were found.
    pub fn counts(&self) -> [usize; 7] {
        [
            self.processes,
            self.threads,
            self.handles,
            self.regions,
            self.user_modules,
            self.modules,
            self.named_objects,
        ]
    }

    /// Visits the elements of an iterator; returns how many there were.
    fn each<T>(
        &mut self,
        elements: impl Iterator<Item = Result<T>>,
        mut visit: impl FnMut(&mut Self, T),
    ) -> usize {
        let mut count = 0;
        for (index, element) in elements.enumerate() {
            if index == self.limit {
                break;
            }
            match element {
                Ok(element) => {
                    visit(self, element);
                    count += 1;
                }
                Err(_) => self.gaps += 1,
            }
        }
        count
    }

    /// Visits what a pointer leads to.
    fn at<T>(&mut self, found: Result<Option<T>>, visit: impl FnOnce(&mut Self, T)) {
        match found {
            Ok(Some(found)) => visit(self, found),
            Ok(None) => {}
            Err(_) => self.gaps += 1,
        }
    }

    fn kernel(&mut self, windows: &Windows) {
        windows.facts();
        for number in [0, 1, 63, u16::MAX] {
            if let Ok(processor) = windows.processor(number) {
                let _ = (processor.number(), processor.saved_registers());
                let _ = (processor.next_thread(), processor.idle_thread());
                let current = processor.current_thread().map(Some);
                self.at(current, |tour, thread| tour.thread(&thread));
            }
        }
        self.each(windows.processes_from(ProcessSources::all()), |_, _| {});
        self.at(windows.client_ids().map(Some), |tour, table| {
            tour.handle_table(table.table());
            let _ = (table.process(4), table.thread(8));
        });
        let table = windows.kernel_handle_table().map(Some);
        self.at(table, |tour, table| {
            tour.handle_table(&table);
        });
        self.each(windows.unloaded_modules(), |_, it| {
            let _ = (it.name(), it.start(), it.end(), it.time());
        });
        let _ = windows.module_at(windows.kernel_base());
        self.each(windows.terminal_sessions(), |tour, it| {
            let _ = it.id();
            tour.at(it.processes().map(Some), |tour, members| {
                tour.each(members, |_, _| {});
            });
        });
    }

    fn namespace(&mut self, windows: &Windows) {
        self.each(windows.object_types(), |_, it| {
            let _ = (it.name(), it.index(), it.object_count());
            let _ = (
                it.handle_count(),
                it.peak_object_count(),
                it.peak_handle_count(),
            );
        });
        for path in ["\\??\\C:\\Windows", "\\Device\\Null", "\\KnownDlls\\a"] {
            let _ = windows.object_at(path);
            let _ = windows.resolve_path(path, None);
        }
        let mut seen = Vec::new();
        let mut waiting = Vec::new();
        let root = windows.root_directory().map(Some);
        self.at(root, |_, root| waiting.push(root));
        while let Some(directory) = waiting.pop() {
            // A damaged namespace may hold a directory twice.
            if seen.contains(&directory.address()) || seen.len() == self.limit {
                continue;
            }
            seen.push(directory.address());
            let _ = directory.child("no such object");
            self.named_objects += self.each(directory.entries(), |tour, object| {
                tour.object(&object);
                tour.at(object.as_directory(), |_, it| waiting.push(it));
            });
        }
    }

    fn process(&mut self, process: &Process<'_>) {
        let mut buffer = [0; Process::SNAPSHOT];
        let copy = process.with_copy(&mut buffer);
        let _ = (copy.id(), copy.parent_id(), copy.name(), copy.token());
        let _ = (copy.create_time(), copy.exit_time(), copy.exit_status());
        let _ = (copy.session(), copy.image_base(), copy.active_threads());
        self.threads += self.each(process.threads(), |tour, it| tour.thread(&it));
        self.at(process.handle_table(), |tour, table| {
            tour.handles += tour.handle_table(&table);
        });
        if let Ok(memory) = process.memory() {
            for va in [0x1000, 0x7ffe_0000, 0x7fff_0000_0000, u64::MAX - 7].map(Va) {
                let _ = (process.validity(va), process.page_content(va));
                let _ = memory.with_zeros(true).read(va, &mut [0; 16]);
            }
        }
        let _ = (process.lookup_handle(4), process.lookup_handle(u64::MAX));
        self.regions += self.each(process.regions(), |tour, it| tour.region(&it));
        let _ = (process.region(Va(0x7ffe_0000)), process.vad_hint());
        self.user_modules += self.each(process.user_modules(), |tour, it| {
            user_module(&it);
            tour.image(&it);
        });
        self.at(process.device_map(), |tour, map| {
            let _ = (map.drives(), map.global_dos_devices());
            tour.at(map.dos_devices(), |tour, own| {
                tour.each(own.entries(), |tour, link| tour.object(&link));
            });
        });
        let _ = (
            process.session_id(),
            process.protection(),
            process.image_path(),
        );
        self.at(process.job(), |tour, job| tour.job(&job));
        self.at(process.primary_token(), |tour, token| tour.token(&token));
        self.at(process.environment_block(), |tour, peb| tour.peb(&peb));
        let native = process.native_environment_block();
        self.at(native, |tour, peb| tour.peb(&peb));
    }

    fn thread(&mut self, thread: &Thread<'_>) {
        let mut buffer = [0; Thread::SNAPSHOT];
        let copy = thread.with_copy(&mut buffer);
        let _ = (copy.id(), copy.process_id(), copy.name(), copy.state());
        let _ = (copy.create_time(), copy.exit_time(), copy.start_address());
        let _ = (copy.process(), copy.current_process(), copy.trap_frame());
        let _ = (copy.last_trap(), copy.kernel_stack(), copy.stack_limit());
        self.at(thread.last_trap(), |_, frame| {
            let _ = (frame.registers(), frame.xmm(), frame.homes());
            let _ = (frame.previous_frame(), frame.is_from_user_mode());
        });
        self.at(thread.environment_block(), |_, teb| self::teb(&teb));
        let native = thread.native_environment_block();
        self.at(native, |_, teb| self::teb(&teb));
    }

    fn handle_table(&mut self, table: &HandleTable<'_>) -> usize {
        self.each(table.handles(), |_, entry| {
            let _ = table.lookup(entry.handle.into());
        })
    }

    /// The objects behind the first handles of every process.
    pub fn objects(windows: &Windows, limit: usize) -> Self {
        let mut tour = Self {
            limit,
            ..Self::default()
        };
        tour.processes = tour.each(windows.processes(), |tour, process| {
            tour.at(process.handle_table(), |tour, table| {
                tour.handles += tour.each(table.handles(), |tour, entry| {
                    tour.object(&windows.object(entry.object));
                });
            });
        });
        tour
    }

    fn object(&mut self, object: &Object<'_>) {
        let _ = (object.kind(), object.type_name(), object.flags());
        let _ = (object.pointer_count(), object.security_descriptor());
        let _ = (object.name(), object.path(), object.namespace_path_utf16());
        self.at(object.as_file(), |_, file| {
            let _ = (file.path(), file.access(), file.flags());
            let _ = (file.data_section(), file.image_section());
        });
        self.at(object.as_key(), |_, it| {
            let _ = it.path();
        });
        self.at(object.as_symbolic_link(), |_, it| {
            let _ = (it.target(), it.drive_letter());
        });
        self.at(object.as_section(), |_, it| {
            let _ = (it.start(), it.end(), it.size(), it.file());
        });
        self.at(object.as_driver(), |tour, it| tour.driver(&it));
        self.at(object.as_device(), |_, it| device(&it));
        self.at(object.as_job(), |tour, it| tour.job(&it));
        self.at(object.as_token(), |tour, it| tour.token(&it));
        self.at(object.as_alpc_port(), |_, it| {
            let _ = (it.owner(), it.connection_port(), it.server_port());
        });
        self.at(object.as_mutant(), |_, it| {
            let _ = (it.owner(), it.count(), it.is_abandoned());
        });
        self.at(object.as_event(), |_, it| {
            let _ = (it.reset_mode(), it.is_signalled());
        });
        self.at(object.as_semaphore(), |_, it| {
            let _ = (it.count(), it.limit());
        });
        self.at(object.as_timer(), |_, it| {
            let _ = (it.reset_mode(), it.is_running(), it.due_time());
        });
    }

    fn driver(&mut self, driver: &DriverObject<'_>) {
        let _ = (driver.name(), driver.module(), driver.major_functions());
        let _ = (driver.service_key(), driver.start(), driver.size());
        self.each(driver.devices(), |_, it| device(&it));
    }

    fn job(&mut self, job: &JobObject<'_>) {
        let _ = (job.id(), job.parent(), job.limits(), job.job_memory_limit());
        let _ = (job.active_processes(), job.session_id());
        self.each(job.children(), |_, it| {
            let _ = (it.id(), it.parent());
        });
        self.each(job.processes(), |_, it| {
            let _ = it.id();
        });
    }

    fn token(&mut self, token: &Token<'_>) {
        let _ = (token.user(), token.privileges(), token.integrity_level());
        let _ = (token.primary_group(), token.default_owner(), token.source());
        self.each(token.groups(), |_, _| {});
        self.each(token.restricted_sids(), |_, _| {});
        self.each(token.capabilities(), |_, _| {});
    }

    fn region(&mut self, region: &Region<'_>) {
        let _ = (region.start(), region.end(), region.kind());
        let _ = (region.protection(), region.commit_charge());
        let _ = (region.file_object(), region.prototype_ptes());
        self.at(region.control_area(), |_, it| {
            let _ = (it.file_object(), it.segment(), it.size(), it.flags());
        });
    }

    /// The tables of a module's image; an image without headers is no gap.
    fn image(&mut self, module: &UserModule<'_>) {
        let Ok(pe) = Pe::parse(module.image()) else {
            return;
        };
        if let Ok(Some(exports)) = pe.exports() {
            let _ = (exports.module_name(), exports.nearest(0x1234));
            for export in exports.iter().take(self.limit).flatten() {
                let _ = exports.by_ordinal(export.ordinal);
            }
        }
        if let Ok(modules) = pe.imported_modules() {
            for imported in modules.take(self.limit).flatten() {
                let _ = pe.imports(&imported).take(self.limit).count();
            }
        }
        if let Ok(file) = module.extract(ImageLayout::File) {
            file.read(0, &mut [0; SAMPLE]);
        }
    }

    fn peb(&mut self, peb: &Peb<'_>) {
        let _ = (peb.image_base(), peb.is_being_debugged(), peb.session_id());
        self.at(peb.parameters(), |tour, parameters| {
            let _ = parameters.flags();
            for text in [
                ParameterText::ImagePath,
                ParameterText::CommandLine,
                ParameterText::CurrentDirectory,
                ParameterText::WindowTitle,
            ] {
                let _ = parameters.text(text);
            }
            let environment = parameters.environment().map(Some);
            tour.at(environment, |tour, variables| {
                tour.each(variables, |_, it| {
                    let _ = (it.name(), it.value());
                });
            });
        });
        self.at(peb.loader_data(), |tour, loader| {
            for order in LoaderOrder::ALL {
                tour.each(loader.entries(order), |_, it| {
                    let _ = (it.name(), it.path(), it.base(), it.size());
                });
            }
        });
    }
}

fn teb(teb: &Teb<'_>) {
    let _ = (teb.peb(), teb.tls_slots(), teb.tls_expansion_slots());
    let _ = (teb.process_id(), teb.thread_id(), teb.self_pointer());
    let _ = (teb.last_error(), teb.last_status(), teb.exception_list());
    let _ = (teb.stack_base(), teb.stack_limit());
}

fn device(device: &DeviceObject<'_>) {
    let _ = (device.driver(), device.attached_device());
    let _ = (device.lower_device(), device.device_type());
}

fn module(module: &Module<'_>) {
    let _ = (module.base(), module.entry_point(), module.size());
    let _ = (module.name(), module.path(), module.time_date_stamp());
}

fn user_module(module: &UserModule<'_>) {
    let _ = (module.name(), module.path(), module.mapped_path());
    let _ = (module.size(), module.architecture(), module.pdb());
    let _ = (module.region(), module.export("no such export"));
    if let Ok(pe) = Pe::parse(module.image()) {
        let _ = (pe.sections(), pe.codeview(), pe.runtime_function(0x1000));
    }
    if let Ok(image) = module.extract(ImageLayout::Memory) {
        image.read(0, &mut [0; SAMPLE]);
    }
}
