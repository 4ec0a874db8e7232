//! What objects are: the names of the object types.

macro_rules! kinds {
    ($($number:literal $kind:ident $name:literal,)*) => {
        /// What an object is. The numbers are stable; new kinds get new ones.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum ObjectKind {
            /// A type of another name.
            Unknown = 0,
            $(
                #[doc = concat!("The type `", $name, "`.")]
                $kind = $number,
            )*
        }

        impl ObjectKind {
            /// Every kind but [`ObjectKind::Unknown`].
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// Name of the type, `None` for [`ObjectKind::Unknown`].
            /// Corresponds to `_OBJECT_TYPE.Name`.
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    Self::Unknown => None,
                    $(Self::$kind => Some($name),)*
                }
            }

            /// The kind with this number.
            pub const fn from_number(number: u8) -> Option<Self> {
                match number {
                    0 => Some(Self::Unknown),
                    $($number => Some(Self::$kind),)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    1 ActivationObject "ActivationObject",
    2 ActivityReference "ActivityReference",
    3 Adapter "Adapter",
    4 AlpcPort "ALPC Port",
    5 Callback "Callback",
    6 Composition "Composition",
    7 Controller "Controller",
    8 CoreMessaging "CoreMessaging",
    9 CoverageSampler "CoverageSampler",
    10 CpuPartition "CpuPartition",
    11 CrossVmEvent "CrossVmEvent",
    12 CrossVmMutant "CrossVmMutant",
    13 DebugObject "DebugObject",
    14 Desktop "Desktop",
    15 Device "Device",
    16 Directory "Directory",
    17 DmaAdapter "DmaAdapter",
    18 DmaDomain "DmaDomain",
    19 Driver "Driver",
    20 DxgkCompositionObject "DxgkCompositionObject",
    21 DxgkCurrentDxgProcessObject "DxgkCurrentDxgProcessObject",
    22 DxgkCurrentDxgThreadObject "DxgkCurrentDxgThreadObject",
    23 DxgkDisplayManagerObject "DxgkDisplayManagerObject",
    24 DxgkSharedBundleObject "DxgkSharedBundleObject",
    25 DxgkSharedKeyedMutexObject "DxgkSharedKeyedMutexObject",
    26 DxgkSharedProtectedSessionObject "DxgkSharedProtectedSessionObject",
    27 DxgkSharedResource "DxgkSharedResource",
    28 DxgkSharedSwapChainObject "DxgkSharedSwapChainObject",
    29 DxgkSharedSyncObject "DxgkSharedSyncObject",
    30 EnergyTracker "EnergyTracker",
    31 EtwConsumer "EtwConsumer",
    32 EtwRegistration "EtwRegistration",
    33 EtwSessionDemuxEntry "EtwSessionDemuxEntry",
    34 Event "Event",
    35 EventPair "EventPair",
    36 File "File",
    37 FilterCommunicationPort "FilterCommunicationPort",
    38 FilterConnectionPort "FilterConnectionPort",
    39 IoCompletion "IoCompletion",
    40 IoCompletionReserve "IoCompletionReserve",
    41 IoRing "IoRing",
    42 IrTimer "IRTimer",
    43 Job "Job",
    44 Key "Key",
    45 KeyedEvent "KeyedEvent",
    46 Mutant "Mutant",
    47 NdisCmState "NdisCmState",
    48 NetworkNamespace "NetworkNamespace",
    49 Partition "Partition",
    50 PcwObject "PcwObject",
    51 Port "Port",
    52 PowerRequest "PowerRequest",
    53 Process "Process",
    54 ProcessStateChange "ProcessStateChange",
    55 Profile "Profile",
    56 PsSiloContextNonPaged "PsSiloContextNonPaged",
    57 PsSiloContextPaged "PsSiloContextPaged",
    58 RawInputManager "RawInputManager",
    59 RegistryTransaction "RegistryTransaction",
    60 Section "Section",
    61 Semaphore "Semaphore",
    62 Session "Session",
    63 SymbolicLink "SymbolicLink",
    64 TerminalEventQueue "TerminalEventQueue",
    65 Thread "Thread",
    66 ThreadStateChange "ThreadStateChange",
    67 Timer "Timer",
    68 TmEn "TmEn",
    69 TmRm "TmRm",
    70 TmTm "TmTm",
    71 TmTx "TmTx",
    72 Token "Token",
    73 TpWorkerFactory "TpWorkerFactory",
    74 Type "Type",
    75 UserApcReserve "UserApcReserve",
    76 VirtualKey "VirtualKey",
    77 VRegConfigurationContext "VRegConfigurationContext",
    78 WaitablePort "WaitablePort",
    79 WaitCompletionPacket "WaitCompletionPacket",
    80 WindowStation "WindowStation",
    81 WmiGuid "WmiGuid",
}

impl ObjectKind {
    /// The kind whose type has this name, [`ObjectKind::Unknown`] when none has.
    pub fn from_name(name: &str) -> Self {
        let kind = Self::ALL.iter().find(|kind| kind.name() == Some(name));
        kind.copied().unwrap_or(Self::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_lead_back() {
        for &kind in ObjectKind::ALL {
            assert_eq!(ObjectKind::from_name(kind.name().unwrap()), kind);
            assert_eq!(ObjectKind::from_number(kind as u8), Some(kind));
        }
        assert_eq!(ObjectKind::from_name("alpc port"), ObjectKind::Unknown);
        assert_eq!(ObjectKind::from_number(255), None);
    }
}
