//! What the forge placed in the bodies of the standard population, told back.

use winvmi::{
    core::Va,
    os::windows::{DeviceObject, Object, ResetMode, Windows},
};
use winvmi_forge::Expected;

use crate::on_all_layouts;

const NAMED: &str = "\\BaseNamedObjects";
const SESSION: &str = "\\Sessions\\1\\BaseNamedObjects";
const VOLUME: &str = "\\Device\\HarddiskVolume2";

/// An object and what the forge placed in it.
struct Placed<'a> {
    object: Object<'a>,
    expected: &'a Expected,
}

impl<'a> Placed<'a> {
    fn at(windows: &'a Windows, expected: &'a Expected, path: &str) -> Self {
        let address = expected.object_at(path).unwrap().address;
        Self {
            object: windows.object(Va(address)),
            expected,
        }
    }

    fn fact(&self, name: &str) -> u64 {
        let fact = self.expected.fact(self.object.address().0, name);
        fact.unwrap_or_else(|| panic!("no {name} was placed"))
    }

    fn address(&self, name: &str) -> Option<Va> {
        Some(Va(self.fact(name))).filter(|address| !address.is_null())
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.expected.text(self.object.address().0, name)
    }
}

const fn reset_number(mode: ResetMode) -> u64 {
    match mode {
        ResetMode::Manual => 1,
        ResetMode::Auto => 2,
        ResetMode::Unknown(_) => 0,
    }
}

#[test]
fn what_threads_wait_for() {
    on_all_layouts(|windows, expected| {
        for path in [
            "\\KernelObjects\\LowMemoryCondition",
            &format!("{NAMED}\\ShellReadyEvent"),
        ] {
            let placed = Placed::at(windows, expected, path);
            let event = placed.object.as_event().unwrap().unwrap();
            let mode = reset_number(event.reset_mode().unwrap());
            assert_eq!(mode, placed.fact("reset_mode"));
            let signalled = u64::from(event.is_signalled().unwrap());
            assert_eq!(signalled, placed.fact("signalled"));
        }
        let placed = Placed::at(windows, expected, &format!("{SESSION}\\SingleInstance"));
        let mutant = placed.object.as_mutant().unwrap().unwrap();
        let owner = mutant.owner().unwrap().map(|owner| owner.object());
        assert_eq!(owner, placed.address("owner_thread"));
        let count = u64::from(mutant.count().unwrap().cast_unsigned());
        assert_eq!(count, placed.fact("count"));
        assert!(mutant.is_abandoned().unwrap());
        let placed = Placed::at(windows, expected, &format!("{SESSION}\\Throttle"));
        let semaphore = placed.object.as_semaphore().unwrap().unwrap();
        assert_eq!(semaphore.count().unwrap() as u64, placed.fact("count"));
        assert_eq!(semaphore.limit().unwrap() as u64, placed.fact("limit"));
        let placed = Placed::at(windows, expected, &format!("{NAMED}\\Daily"));
        let timer = placed.object.as_timer().unwrap().unwrap();
        assert_eq!(timer.due_time().unwrap(), placed.fact("due_time"));
        assert_eq!(u64::from(timer.period().unwrap()), placed.fact("period"));
        let mode = reset_number(timer.reset_mode().unwrap());
        assert_eq!(mode, placed.fact("reset_mode"));
        assert!(timer.is_running().unwrap() && !timer.is_signalled().unwrap());
    });
}

#[test]
fn sections_and_the_files_that_share_them() {
    on_all_layouts(|windows, expected| {
        for name in ["SharedTable", "FontCache"] {
            let placed = Placed::at(windows, expected, &format!("{NAMED}\\{name}"));
            let section = placed.object.as_section().unwrap().unwrap();
            assert_eq!(section.start().unwrap().0, placed.fact("start"));
            assert_eq!(section.end().unwrap().0, placed.fact("end"));
            assert_eq!(section.size().unwrap(), placed.fact("size"));
            let flags = section.flags().unwrap().bits();
            assert_eq!(u64::from(flags), placed.fact("flags"));
            let area = section.control_area().unwrap().unwrap();
            assert_eq!(area.address().0, placed.fact("control_area"));
            assert_eq!(area.segment().unwrap().0, placed.fact("segment"));
            let file = section.file().unwrap();
            let file = file.map(|file| file.object().address());
            assert_eq!(file, placed.address("file"));
        }
        for path in ["Windows\\Fonts\\arial.ttf", "Users\\user\\notes.txt"] {
            let placed = Placed::at(windows, expected, &format!("{VOLUME}\\{path}"));
            let file = placed.object.as_file().unwrap().unwrap();
            let data = file.data_section().unwrap().unwrap();
            assert_eq!(data.address().0, placed.fact("data_section"));
            assert_eq!(data.size().unwrap(), placed.fact("data_section_size"));
            let image = file.image_section().unwrap();
            let address = image.map(|image| image.address());
            assert_eq!(address, placed.address("image_section"));
            let size = image.map_or(0, |image| image.size().unwrap());
            assert_eq!(size, placed.fact("image_section_size"));
        }
    });
}

#[test]
fn keys_and_ports() {
    on_all_layouts(|windows, expected| {
        let placed = Placed::at(windows, expected, "\\REGISTRY\\MACHINE\\SOFTWARE");
        let key = placed.object.as_key().unwrap().unwrap();
        let block = key.key_control_block().unwrap();
        assert_eq!(block.address().0, placed.fact("control_block"));
        let parent = block.parent().unwrap().map(|it| it.address());
        assert_eq!(parent, placed.address("parent"));
        assert_eq!(u64::from(block.cell().unwrap()), placed.fact("cell"));
        assert_eq!(u64::from(key.process_id().unwrap()), placed.fact("pid"));
        let placed = Placed::at(windows, expected, "\\RPC Control\\lsasspirpc");
        let port = placed.object.as_alpc_port().unwrap().unwrap();
        let owner = port.owner().unwrap().map(|owner| owner.object());
        assert_eq!(owner, placed.address("owner_process"));
        let ends = [
            ("connection_port", port.connection_port()),
            ("server_port", port.server_port()),
            ("client_port", port.client_port()),
        ];
        for (name, end) in ends {
            let end = end.unwrap().map(|end| end.object().address());
            assert_eq!(end, placed.address(name), "{name}");
        }
    });
}

#[test]
fn drivers_and_their_devices() {
    on_all_layouts(|windows, expected| {
        for name in ["volmgr", "volsnap"] {
            let placed = Placed::at(windows, expected, &format!("\\Driver\\{name}"));
            let driver = placed.object.as_driver().unwrap().unwrap();
            assert_eq!(driver.start().unwrap().0, placed.fact("start"));
            assert_eq!(u64::from(driver.size().unwrap()), placed.fact("size"));
            assert_eq!(u64::from(driver.flags().unwrap()), placed.fact("flags"));
            assert_eq!(driver.init_function().unwrap(), placed.address("init"));
            assert_eq!(
                driver.start_io_function().unwrap(),
                placed.address("start_io")
            );
            assert_eq!(driver.unload_function().unwrap(), placed.address("unload"));
            let functions = driver.major_functions().unwrap();
            assert_eq!(functions[0].0, placed.fact("major_function_0"));
            let key = driver.service_key().unwrap();
            assert_eq!(key.as_deref(), placed.text("service_key"));
            let own = driver.name().unwrap();
            assert_eq!(Some(own.as_str()), placed.text("driver_name"));
        }
        let none = Placed::at(windows, expected, "\\Driver\\Null");
        let none = none.object.as_driver().unwrap().unwrap();
        assert!(none.service_key().unwrap().is_none());
        for name in ["HarddiskVolume2", "VolumeFilter"] {
            let placed = Placed::at(windows, expected, &format!("\\Device\\{name}"));
            let device = placed.object.as_device().unwrap().unwrap();
            let address = |it: Option<DeviceObject<'_>>| it.map(|it| it.object().address());
            let upper = address(device.attached_device().unwrap());
            assert_eq!(upper, placed.address("upper_device"));
            let lower = address(device.lower_device().unwrap());
            assert_eq!(lower, placed.address("lower_device"));
            let driver = device.driver().unwrap().map(|it| it.object().address());
            assert_eq!(driver, placed.address("driver"));
        }
    });
}

#[test]
fn links_and_drives() {
    on_all_layouts(|windows, expected| {
        let links = expected.objects.iter();
        for link in links.filter(|it| it.type_name == "SymbolicLink") {
            let placed = Placed::at(windows, expected, link.path.as_ref().unwrap());
            let link = placed.object.as_symbolic_link().unwrap().unwrap();
            assert_eq!(
                link.target().unwrap().as_deref(),
                placed.text("link_target")
            );
            assert_eq!(
                link.is_callback().unwrap(),
                placed.text("link_target").is_none()
            );
            let letter = link.drive_letter().unwrap();
            let number = letter.map_or(0, |letter| letter as u64 - u64::from(b'@'));
            assert_eq!(number, placed.fact("drive"));
        }
        let explorer = expected.process_named("explorer.exe").unwrap().object;
        let fact = |name| expected.fact(explorer, name).unwrap();
        let map = windows.process(Va(explorer)).device_map().unwrap().unwrap();
        assert_eq!(map.address().0, fact("device_map"));
        assert_eq!(u64::from(map.drives().unwrap()), fact("drives"));
        let directories = [
            ("dos_devices", map.dos_devices()),
            ("global_dos_devices", map.global_dos_devices()),
        ];
        for (name, directory) in directories {
            assert_eq!(directory.unwrap().unwrap().address().0, fact(name));
        }
    });
}
