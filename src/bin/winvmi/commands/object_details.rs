//! What objects say, by their type.

use winvmi::{
    Result,
    core::Va,
    os::windows::{
        AlpcPort, DeviceObject, DriverObject, EventObject, FileObject, JobObject, KeyObject,
        MutantObject, Object, ObjectKind, ObjectType, ResetMode, SectionObject, SemaphoreObject,
        SymbolicLink, TimerObject,
    },
};

use crate::output::{Report, Row, Value};

/// The values of an object's own type; none for types without any. Gaps in lists
/// go into the report.
pub fn details(object: &Object<'_>, report: &mut Report) -> Value {
    match known(object, report) {
        Ok(Some(row)) => Value::Row(row),
        Ok(None) | Err(_) => Value::None,
    }
}

fn known(object: &Object<'_>, report: &mut Report) -> Result<Option<Row>> {
    Ok(match object.kind()? {
        ObjectKind::SymbolicLink => object.as_symbolic_link()?.as_ref().map(link),
        ObjectKind::Section => object.as_section()?.as_ref().map(section),
        ObjectKind::Event => object.as_event()?.as_ref().map(event),
        ObjectKind::Mutant => object.as_mutant()?.as_ref().map(mutant),
        ObjectKind::Semaphore => object.as_semaphore()?.as_ref().map(semaphore),
        ObjectKind::Timer => object.as_timer()?.as_ref().map(timer),
        ObjectKind::AlpcPort => object.as_alpc_port()?.as_ref().map(port),
        ObjectKind::Driver => object.as_driver()?.map(|it| driver(&it, report)),
        ObjectKind::Device => object.as_device()?.as_ref().map(device),
        ObjectKind::Type => object.as_type()?.as_ref().map(object_type),
        ObjectKind::Job => object.as_job()?.map(|it| job(&it, report)),
        ObjectKind::Key => object.as_key()?.as_ref().map(key),
        ObjectKind::File => object.as_file()?.as_ref().map(file),
        ObjectKind::Process => object
            .as_process()?
            .map(|it| Row::default().with("pid", it.id()).with("name", it.name())),
        ObjectKind::Thread => object.as_thread()?.map(|it| {
            Row::default()
                .with("pid", it.process_id())
                .with("tid", it.id())
        }),
        ObjectKind::Token => object.as_token()?.map(|it| {
            Row::default()
                .with("user", it.user().map(|user| user.sid.to_string()))
                .with("session_id", it.session_id())
        }),
        _ => None,
    })
}

fn bits(bits: Result<u32>) -> Value {
    bits.map(|bits| Value::Address(bits.into())).into()
}

/// A row for each element of a list.
fn rows<T>(
    list: impl Iterator<Item = Result<T>>,
    report: &mut Report,
    row: impl Fn(T) -> Row,
) -> Value {
    let mut rows = Vec::new();
    for element in list {
        match element {
            Ok(element) => rows.push(row(element)),
            Err(gap) => report.gap(gap),
        }
    }
    Value::Rows(rows)
}

/// The address of an object that may be missing.
fn address(object: Result<Option<Object<'_>>>) -> Value {
    object.map(|it| it.map(|it| it.address())).into()
}

const fn reset_name(mode: ResetMode) -> &'static str {
    match mode {
        ResetMode::Manual => "manual",
        ResetMode::Auto => "auto",
        ResetMode::Unknown(_) => "unknown",
    }
}

fn link(it: &SymbolicLink<'_>) -> Row {
    let drive = it.drive_letter().map(|it| it.map(String::from));
    Row::default()
        .with("target", it.target())
        .with("callback", it.is_callback())
        .with("drive_letter", drive)
        .with("creation_time", it.creation_time())
}

fn section(it: &SectionObject<'_>) -> Row {
    let file = it.file().map(|file| file.map(|it| it.object()));
    let path = it.file();
    let path = path.and_then(|file| file.map(|file| file.path()).transpose());
    let area = it.control_area().map(|it| it.map(|it| it.address()));
    Row::default()
        .with("size", it.size())
        .with("path", path)
        .with("file", address(file))
        .with("flags", bits(it.flags().map(|it| it.bits())))
        .with("start", it.start())
        .with("end", it.end())
        .with("control_area", area)
}

fn event(it: &EventObject<'_>) -> Row {
    Row::default()
        .with("reset_mode", it.reset_mode().map(reset_name))
        .with("signalled", it.is_signalled())
}

fn mutant(it: &MutantObject<'_>) -> Row {
    let owner = it.owner().map(|owner| owner.map(|it| it.object()));
    let tid = it.owner();
    let tid = tid.and_then(|owner| owner.map(|owner| owner.id()).transpose());
    Row::default()
        .with("owner_tid", tid)
        .with("owner_thread", owner)
        .with("count", it.count())
        .with("abandoned", it.is_abandoned())
}

fn semaphore(it: &SemaphoreObject<'_>) -> Row {
    Row::default()
        .with("count", it.count())
        .with("limit", it.limit())
}

fn timer(it: &TimerObject<'_>) -> Row {
    Row::default()
        .with("reset_mode", it.reset_mode().map(reset_name))
        .with("running", it.is_running())
        .with("signalled", it.is_signalled())
        .with("due_time", it.due_time())
        .with("period", it.period())
}

fn port(it: &AlpcPort<'_>) -> Row {
    let owner = it.owner().map(|owner| owner.map(|it| it.object()));
    let pid = it.owner();
    let pid = pid.and_then(|owner| owner.map(|owner| owner.id()).transpose());
    let end = |port: Result<Option<AlpcPort<'_>>>| address(port.map(|it| it.map(|it| it.object())));
    Row::default()
        .with("owner_pid", pid)
        .with("owner_process", owner)
        .with("connection_port", end(it.connection_port()))
        .with("server_port", end(it.server_port()))
        .with("client_port", end(it.client_port()))
}

fn driver(it: &DriverObject<'_>, report: &mut Report) -> Row {
    let devices = rows(it.devices(), report, |device| {
        Row::default()
            .with("object", device.object().address())
            .with("path", device.object().path())
    });
    let functions = it.major_functions().map(|it| functions(&it));
    Row::default()
        .with("driver_name", it.name())
        .with("start", it.start())
        .with("size", it.size())
        .with("service_key", it.service_key())
        .with(
            "module_entry",
            it.module().map(|it| it.map(|it| it.entry())),
        )
        .with("flags", bits(it.flags()))
        .with("init", it.init_function())
        .with("start_io", it.start_io_function())
        .with("unload", it.unload_function())
        .with("major_functions", functions.map(Value::Rows))
        .with("devices", devices)
}

/// The functions that a driver has, by `IRP_MJ_*` number.
fn functions(functions: &[Va]) -> Vec<Row> {
    let numbered = (0_u32..).zip(functions);
    let own = numbered.filter(|(_, function)| !function.is_null());
    own.map(|(number, function)| {
        Row::default()
            .with("number", number)
            .with("address", *function)
    })
    .collect()
}

fn device(it: &DeviceObject<'_>) -> Row {
    let driver = it.driver().map(|driver| driver.map(|it| it.object()));
    let name = it.driver();
    let name = name.and_then(|driver| driver.map(|driver| driver.name()).transpose());
    let place =
        |it: Result<Option<DeviceObject<'_>>>| address(it.map(|it| it.map(|it| it.object())));
    Row::default()
        .with("driver_name", name)
        .with("driver", address(driver))
        .with("device_type", it.device_type())
        .with("flags", bits(it.flags()))
        .with("characteristics", bits(it.characteristics()))
        .with("extension", it.extension())
        .with("upper_device", place(it.attached_device()))
        .with("lower_device", place(it.lower_device()))
}

fn object_type(it: &ObjectType<'_>) -> Row {
    Row::default()
        .with("index", it.index())
        .with("objects", it.object_count())
        .with("handles", it.handle_count())
        .with("peak_objects", it.peak_object_count())
        .with("peak_handles", it.peak_handle_count())
}

/// What a job says, without its processes.
pub fn job_facts(it: &JobObject<'_>) -> Row {
    let parent = it.parent().map(|it| it.map(|it| it.address()));
    Row::default()
        .with("object", it.address())
        .with("id", it.id())
        .with("parent", parent)
        .with("limits", bits(it.limits().map(|it| it.bits())))
        .with("session_id", it.session_id())
        .with("total_processes", it.total_processes())
        .with("active_processes", it.active_processes())
        .with("terminated_processes", it.terminated_processes())
}

fn job(it: &JobObject<'_>, report: &mut Report) -> Row {
    let members = rows(it.processes(), report, |process| {
        Row::default()
            .with("pid", process.id())
            .with("name", process.name())
    });
    job_facts(it).with("processes", members)
}

fn key(it: &KeyObject<'_>) -> Row {
    let block = it.key_control_block();
    let block = block.as_ref().ok();
    Row::default()
        .with("pid", it.process_id())
        .with("control_block", block.map(|it| it.address()))
        .with("hive", block.map(|it| it.hive()).map(Value::from))
        .with("cell", block.map(|it| bits(it.cell())))
}

fn file(it: &FileObject<'_>) -> Row {
    let data = it.data_section();
    let size = data.and_then(|area| area.map(|area| area.size()).transpose());
    Row::default()
        .with("access", bits(it.access().map(|it| it.bits().into())))
        .with("flags", bits(it.flags()))
        .with("delete_pending", it.is_delete_pending())
        .with("data_section_size", size)
}
