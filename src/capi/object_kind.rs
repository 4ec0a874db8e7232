//! `wvmi_object_kind`: what objects are.

use std::{
    ffi::{CString, c_char},
    sync::LazyLock,
};

use crate::os::windows::ObjectKind;

/// Kind of an object; one of the `WVMI_OBJECT_*` numbers.
///
/// The numbers are the library's own and the same for every Windows;
/// `wvmi_object_kind_name()` gives the names.
pub type wvmi_object_kind = u32;

/// A type that the library does not know by its name.
pub const WVMI_OBJECT_UNKNOWN: wvmi_object_kind = 0;
/// The type `ActivationObject`.
pub const WVMI_OBJECT_ACTIVATION_OBJECT: wvmi_object_kind = 1;
/// The type `ActivityReference`.
pub const WVMI_OBJECT_ACTIVITY_REFERENCE: wvmi_object_kind = 2;
/// The type `Adapter`.
pub const WVMI_OBJECT_ADAPTER: wvmi_object_kind = 3;
/// The type `ALPC Port`.
pub const WVMI_OBJECT_ALPC_PORT: wvmi_object_kind = 4;
/// The type `Callback`.
pub const WVMI_OBJECT_CALLBACK: wvmi_object_kind = 5;
/// The type `Composition`.
pub const WVMI_OBJECT_COMPOSITION: wvmi_object_kind = 6;
/// The type `Controller`.
pub const WVMI_OBJECT_CONTROLLER: wvmi_object_kind = 7;
/// The type `CoreMessaging`.
pub const WVMI_OBJECT_CORE_MESSAGING: wvmi_object_kind = 8;
/// The type `CoverageSampler`.
pub const WVMI_OBJECT_COVERAGE_SAMPLER: wvmi_object_kind = 9;
/// The type `CpuPartition`.
pub const WVMI_OBJECT_CPU_PARTITION: wvmi_object_kind = 10;
/// The type `CrossVmEvent`.
pub const WVMI_OBJECT_CROSS_VM_EVENT: wvmi_object_kind = 11;
/// The type `CrossVmMutant`.
pub const WVMI_OBJECT_CROSS_VM_MUTANT: wvmi_object_kind = 12;
/// The type `DebugObject`.
pub const WVMI_OBJECT_DEBUG_OBJECT: wvmi_object_kind = 13;
/// The type `Desktop`.
pub const WVMI_OBJECT_DESKTOP: wvmi_object_kind = 14;
/// The type `Device`.
pub const WVMI_OBJECT_DEVICE: wvmi_object_kind = 15;
/// The type `Directory`.
pub const WVMI_OBJECT_DIRECTORY: wvmi_object_kind = 16;
/// The type `DmaAdapter`.
pub const WVMI_OBJECT_DMA_ADAPTER: wvmi_object_kind = 17;
/// The type `DmaDomain`.
pub const WVMI_OBJECT_DMA_DOMAIN: wvmi_object_kind = 18;
/// The type `Driver`.
pub const WVMI_OBJECT_DRIVER: wvmi_object_kind = 19;
/// The type `DxgkCompositionObject`.
pub const WVMI_OBJECT_DXGK_COMPOSITION_OBJECT: wvmi_object_kind = 20;
/// The type `DxgkCurrentDxgProcessObject`.
pub const WVMI_OBJECT_DXGK_CURRENT_DXG_PROCESS_OBJECT: wvmi_object_kind = 21;
/// The type `DxgkCurrentDxgThreadObject`.
pub const WVMI_OBJECT_DXGK_CURRENT_DXG_THREAD_OBJECT: wvmi_object_kind = 22;
/// The type `DxgkDisplayManagerObject`.
pub const WVMI_OBJECT_DXGK_DISPLAY_MANAGER_OBJECT: wvmi_object_kind = 23;
/// The type `DxgkSharedBundleObject`.
pub const WVMI_OBJECT_DXGK_SHARED_BUNDLE_OBJECT: wvmi_object_kind = 24;
/// The type `DxgkSharedKeyedMutexObject`.
pub const WVMI_OBJECT_DXGK_SHARED_KEYED_MUTEX_OBJECT: wvmi_object_kind = 25;
/// The type `DxgkSharedProtectedSessionObject`.
pub const WVMI_OBJECT_DXGK_SHARED_PROTECTED_SESSION_OBJECT: wvmi_object_kind = 26;
/// The type `DxgkSharedResource`.
pub const WVMI_OBJECT_DXGK_SHARED_RESOURCE: wvmi_object_kind = 27;
/// The type `DxgkSharedSwapChainObject`.
pub const WVMI_OBJECT_DXGK_SHARED_SWAP_CHAIN_OBJECT: wvmi_object_kind = 28;
/// The type `DxgkSharedSyncObject`.
pub const WVMI_OBJECT_DXGK_SHARED_SYNC_OBJECT: wvmi_object_kind = 29;
/// The type `EnergyTracker`.
pub const WVMI_OBJECT_ENERGY_TRACKER: wvmi_object_kind = 30;
/// The type `EtwConsumer`.
pub const WVMI_OBJECT_ETW_CONSUMER: wvmi_object_kind = 31;
/// The type `EtwRegistration`.
pub const WVMI_OBJECT_ETW_REGISTRATION: wvmi_object_kind = 32;
/// The type `EtwSessionDemuxEntry`.
pub const WVMI_OBJECT_ETW_SESSION_DEMUX_ENTRY: wvmi_object_kind = 33;
/// The type `Event`.
pub const WVMI_OBJECT_EVENT: wvmi_object_kind = 34;
/// The type `EventPair`.
pub const WVMI_OBJECT_EVENT_PAIR: wvmi_object_kind = 35;
/// The type `File`.
pub const WVMI_OBJECT_FILE: wvmi_object_kind = 36;
/// The type `FilterCommunicationPort`.
pub const WVMI_OBJECT_FILTER_COMMUNICATION_PORT: wvmi_object_kind = 37;
/// The type `FilterConnectionPort`.
pub const WVMI_OBJECT_FILTER_CONNECTION_PORT: wvmi_object_kind = 38;
/// The type `IoCompletion`.
pub const WVMI_OBJECT_IO_COMPLETION: wvmi_object_kind = 39;
/// The type `IoCompletionReserve`.
pub const WVMI_OBJECT_IO_COMPLETION_RESERVE: wvmi_object_kind = 40;
/// The type `IoRing`.
pub const WVMI_OBJECT_IO_RING: wvmi_object_kind = 41;
/// The type `IRTimer`.
pub const WVMI_OBJECT_IR_TIMER: wvmi_object_kind = 42;
/// The type `Job`.
pub const WVMI_OBJECT_JOB: wvmi_object_kind = 43;
/// The type `Key`.
pub const WVMI_OBJECT_KEY: wvmi_object_kind = 44;
/// The type `KeyedEvent`.
pub const WVMI_OBJECT_KEYED_EVENT: wvmi_object_kind = 45;
/// The type `Mutant`.
pub const WVMI_OBJECT_MUTANT: wvmi_object_kind = 46;
/// The type `NdisCmState`.
pub const WVMI_OBJECT_NDIS_CM_STATE: wvmi_object_kind = 47;
/// The type `NetworkNamespace`.
pub const WVMI_OBJECT_NETWORK_NAMESPACE: wvmi_object_kind = 48;
/// The type `Partition`.
pub const WVMI_OBJECT_PARTITION: wvmi_object_kind = 49;
/// The type `PcwObject`.
pub const WVMI_OBJECT_PCW_OBJECT: wvmi_object_kind = 50;
/// The type `Port`.
pub const WVMI_OBJECT_PORT: wvmi_object_kind = 51;
/// The type `PowerRequest`.
pub const WVMI_OBJECT_POWER_REQUEST: wvmi_object_kind = 52;
/// The type `Process`.
pub const WVMI_OBJECT_PROCESS: wvmi_object_kind = 53;
/// The type `ProcessStateChange`.
pub const WVMI_OBJECT_PROCESS_STATE_CHANGE: wvmi_object_kind = 54;
/// The type `Profile`.
pub const WVMI_OBJECT_PROFILE: wvmi_object_kind = 55;
/// The type `PsSiloContextNonPaged`.
pub const WVMI_OBJECT_PS_SILO_CONTEXT_NON_PAGED: wvmi_object_kind = 56;
/// The type `PsSiloContextPaged`.
pub const WVMI_OBJECT_PS_SILO_CONTEXT_PAGED: wvmi_object_kind = 57;
/// The type `RawInputManager`.
pub const WVMI_OBJECT_RAW_INPUT_MANAGER: wvmi_object_kind = 58;
/// The type `RegistryTransaction`.
pub const WVMI_OBJECT_REGISTRY_TRANSACTION: wvmi_object_kind = 59;
/// The type `Section`.
pub const WVMI_OBJECT_SECTION: wvmi_object_kind = 60;
/// The type `Semaphore`.
pub const WVMI_OBJECT_SEMAPHORE: wvmi_object_kind = 61;
/// The type `Session`.
pub const WVMI_OBJECT_SESSION: wvmi_object_kind = 62;
/// The type `SymbolicLink`.
pub const WVMI_OBJECT_SYMBOLIC_LINK: wvmi_object_kind = 63;
/// The type `TerminalEventQueue`.
pub const WVMI_OBJECT_TERMINAL_EVENT_QUEUE: wvmi_object_kind = 64;
/// The type `Thread`.
pub const WVMI_OBJECT_THREAD: wvmi_object_kind = 65;
/// The type `ThreadStateChange`.
pub const WVMI_OBJECT_THREAD_STATE_CHANGE: wvmi_object_kind = 66;
/// The type `Timer`.
pub const WVMI_OBJECT_TIMER: wvmi_object_kind = 67;
/// The type `TmEn`.
pub const WVMI_OBJECT_TM_EN: wvmi_object_kind = 68;
/// The type `TmRm`.
pub const WVMI_OBJECT_TM_RM: wvmi_object_kind = 69;
/// The type `TmTm`.
pub const WVMI_OBJECT_TM_TM: wvmi_object_kind = 70;
/// The type `TmTx`.
pub const WVMI_OBJECT_TM_TX: wvmi_object_kind = 71;
/// The type `Token`.
pub const WVMI_OBJECT_TOKEN: wvmi_object_kind = 72;
/// The type `TpWorkerFactory`.
pub const WVMI_OBJECT_TP_WORKER_FACTORY: wvmi_object_kind = 73;
/// The type `Type`.
pub const WVMI_OBJECT_TYPE: wvmi_object_kind = 74;
/// The type `UserApcReserve`.
pub const WVMI_OBJECT_USER_APC_RESERVE: wvmi_object_kind = 75;
/// The type `VirtualKey`.
pub const WVMI_OBJECT_VIRTUAL_KEY: wvmi_object_kind = 76;
/// The type `VRegConfigurationContext`.
pub const WVMI_OBJECT_V_REG_CONFIGURATION_CONTEXT: wvmi_object_kind = 77;
/// The type `WaitablePort`.
pub const WVMI_OBJECT_WAITABLE_PORT: wvmi_object_kind = 78;
/// The type `WaitCompletionPacket`.
pub const WVMI_OBJECT_WAIT_COMPLETION_PACKET: wvmi_object_kind = 79;
/// The type `WindowStation`.
pub const WVMI_OBJECT_WINDOW_STATION: wvmi_object_kind = 80;
/// The type `WmiGuid`.
pub const WVMI_OBJECT_WMI_GUID: wvmi_object_kind = 81;

/// Number of a kind.
pub const fn kind_number(kind: ObjectKind) -> wvmi_object_kind {
    match kind {
        ObjectKind::Unknown => WVMI_OBJECT_UNKNOWN,
        ObjectKind::ActivationObject => WVMI_OBJECT_ACTIVATION_OBJECT,
        ObjectKind::ActivityReference => WVMI_OBJECT_ACTIVITY_REFERENCE,
        ObjectKind::Adapter => WVMI_OBJECT_ADAPTER,
        ObjectKind::AlpcPort => WVMI_OBJECT_ALPC_PORT,
        ObjectKind::Callback => WVMI_OBJECT_CALLBACK,
        ObjectKind::Composition => WVMI_OBJECT_COMPOSITION,
        ObjectKind::Controller => WVMI_OBJECT_CONTROLLER,
        ObjectKind::CoreMessaging => WVMI_OBJECT_CORE_MESSAGING,
        ObjectKind::CoverageSampler => WVMI_OBJECT_COVERAGE_SAMPLER,
        ObjectKind::CpuPartition => WVMI_OBJECT_CPU_PARTITION,
        ObjectKind::CrossVmEvent => WVMI_OBJECT_CROSS_VM_EVENT,
        ObjectKind::CrossVmMutant => WVMI_OBJECT_CROSS_VM_MUTANT,
        ObjectKind::DebugObject => WVMI_OBJECT_DEBUG_OBJECT,
        ObjectKind::Desktop => WVMI_OBJECT_DESKTOP,
        ObjectKind::Device => WVMI_OBJECT_DEVICE,
        ObjectKind::Directory => WVMI_OBJECT_DIRECTORY,
        ObjectKind::DmaAdapter => WVMI_OBJECT_DMA_ADAPTER,
        ObjectKind::DmaDomain => WVMI_OBJECT_DMA_DOMAIN,
        ObjectKind::Driver => WVMI_OBJECT_DRIVER,
        ObjectKind::DxgkCompositionObject => WVMI_OBJECT_DXGK_COMPOSITION_OBJECT,
        ObjectKind::DxgkCurrentDxgProcessObject => WVMI_OBJECT_DXGK_CURRENT_DXG_PROCESS_OBJECT,
        ObjectKind::DxgkCurrentDxgThreadObject => WVMI_OBJECT_DXGK_CURRENT_DXG_THREAD_OBJECT,
        ObjectKind::DxgkDisplayManagerObject => WVMI_OBJECT_DXGK_DISPLAY_MANAGER_OBJECT,
        ObjectKind::DxgkSharedBundleObject => WVMI_OBJECT_DXGK_SHARED_BUNDLE_OBJECT,
        ObjectKind::DxgkSharedKeyedMutexObject => WVMI_OBJECT_DXGK_SHARED_KEYED_MUTEX_OBJECT,
        ObjectKind::DxgkSharedProtectedSessionObject => {
            WVMI_OBJECT_DXGK_SHARED_PROTECTED_SESSION_OBJECT
        }
        ObjectKind::DxgkSharedResource => WVMI_OBJECT_DXGK_SHARED_RESOURCE,
        ObjectKind::DxgkSharedSwapChainObject => WVMI_OBJECT_DXGK_SHARED_SWAP_CHAIN_OBJECT,
        ObjectKind::DxgkSharedSyncObject => WVMI_OBJECT_DXGK_SHARED_SYNC_OBJECT,
        ObjectKind::EnergyTracker => WVMI_OBJECT_ENERGY_TRACKER,
        ObjectKind::EtwConsumer => WVMI_OBJECT_ETW_CONSUMER,
        ObjectKind::EtwRegistration => WVMI_OBJECT_ETW_REGISTRATION,
        ObjectKind::EtwSessionDemuxEntry => WVMI_OBJECT_ETW_SESSION_DEMUX_ENTRY,
        ObjectKind::Event => WVMI_OBJECT_EVENT,
        ObjectKind::EventPair => WVMI_OBJECT_EVENT_PAIR,
        ObjectKind::File => WVMI_OBJECT_FILE,
        ObjectKind::FilterCommunicationPort => WVMI_OBJECT_FILTER_COMMUNICATION_PORT,
        ObjectKind::FilterConnectionPort => WVMI_OBJECT_FILTER_CONNECTION_PORT,
        ObjectKind::IoCompletion => WVMI_OBJECT_IO_COMPLETION,
        ObjectKind::IoCompletionReserve => WVMI_OBJECT_IO_COMPLETION_RESERVE,
        ObjectKind::IoRing => WVMI_OBJECT_IO_RING,
        ObjectKind::IrTimer => WVMI_OBJECT_IR_TIMER,
        ObjectKind::Job => WVMI_OBJECT_JOB,
        ObjectKind::Key => WVMI_OBJECT_KEY,
        ObjectKind::KeyedEvent => WVMI_OBJECT_KEYED_EVENT,
        ObjectKind::Mutant => WVMI_OBJECT_MUTANT,
        ObjectKind::NdisCmState => WVMI_OBJECT_NDIS_CM_STATE,
        ObjectKind::NetworkNamespace => WVMI_OBJECT_NETWORK_NAMESPACE,
        ObjectKind::Partition => WVMI_OBJECT_PARTITION,
        ObjectKind::PcwObject => WVMI_OBJECT_PCW_OBJECT,
        ObjectKind::Port => WVMI_OBJECT_PORT,
        ObjectKind::PowerRequest => WVMI_OBJECT_POWER_REQUEST,
        ObjectKind::Process => WVMI_OBJECT_PROCESS,
        ObjectKind::ProcessStateChange => WVMI_OBJECT_PROCESS_STATE_CHANGE,
        ObjectKind::Profile => WVMI_OBJECT_PROFILE,
        ObjectKind::PsSiloContextNonPaged => WVMI_OBJECT_PS_SILO_CONTEXT_NON_PAGED,
        ObjectKind::PsSiloContextPaged => WVMI_OBJECT_PS_SILO_CONTEXT_PAGED,
        ObjectKind::RawInputManager => WVMI_OBJECT_RAW_INPUT_MANAGER,
        ObjectKind::RegistryTransaction => WVMI_OBJECT_REGISTRY_TRANSACTION,
        ObjectKind::Section => WVMI_OBJECT_SECTION,
        ObjectKind::Semaphore => WVMI_OBJECT_SEMAPHORE,
        ObjectKind::Session => WVMI_OBJECT_SESSION,
        ObjectKind::SymbolicLink => WVMI_OBJECT_SYMBOLIC_LINK,
        ObjectKind::TerminalEventQueue => WVMI_OBJECT_TERMINAL_EVENT_QUEUE,
        ObjectKind::Thread => WVMI_OBJECT_THREAD,
        ObjectKind::ThreadStateChange => WVMI_OBJECT_THREAD_STATE_CHANGE,
        ObjectKind::Timer => WVMI_OBJECT_TIMER,
        ObjectKind::TmEn => WVMI_OBJECT_TM_EN,
        ObjectKind::TmRm => WVMI_OBJECT_TM_RM,
        ObjectKind::TmTm => WVMI_OBJECT_TM_TM,
        ObjectKind::TmTx => WVMI_OBJECT_TM_TX,
        ObjectKind::Token => WVMI_OBJECT_TOKEN,
        ObjectKind::TpWorkerFactory => WVMI_OBJECT_TP_WORKER_FACTORY,
        ObjectKind::Type => WVMI_OBJECT_TYPE,
        ObjectKind::UserApcReserve => WVMI_OBJECT_USER_APC_RESERVE,
        ObjectKind::VirtualKey => WVMI_OBJECT_VIRTUAL_KEY,
        ObjectKind::VRegConfigurationContext => WVMI_OBJECT_V_REG_CONFIGURATION_CONTEXT,
        ObjectKind::WaitablePort => WVMI_OBJECT_WAITABLE_PORT,
        ObjectKind::WaitCompletionPacket => WVMI_OBJECT_WAIT_COMPLETION_PACKET,
        ObjectKind::WindowStation => WVMI_OBJECT_WINDOW_STATION,
        ObjectKind::WmiGuid => WVMI_OBJECT_WMI_GUID,
    }
}

/// Names of all kinds with their numbers, as C strings.
static NAMES: LazyLock<Vec<(wvmi_object_kind, CString)>> = LazyLock::new(|| {
    ObjectKind::ALL
        .iter()
        .filter_map(|kind| Some((kind_number(*kind), CString::new(kind.name()?).ok()?)))
        .collect()
});

/// Name of an object kind, as Windows spells the type.
///
/// `kind` may be any number.
///
/// Returns a static string such as `"ALPC Port"`, or `"unknown"`. Never NULL,
/// never to be freed.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub extern "C" fn wvmi_object_kind_name(kind: wvmi_object_kind) -> *const c_char {
    let known = NAMES.iter().find(|(number, _)| *number == kind);
    known.map_or(c"unknown", |(_, name)| name).as_ptr()
}
