//! Scheduling states and wait reasons (`KTHREAD_STATE`, `KWAIT_REASON`).

/// Value of `_KTHREAD.State`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ThreadState(pub u8);

impl ThreadState {
    /// The thread has exited.
    pub const TERMINATED: Self = Self(4);

    /// Name of the state, `None` for values that no Windows uses.
    pub fn name(self) -> Option<&'static str> {
        const NAMES: [&str; 10] = [
            "Initialized",
            "Ready",
            "Running",
            "Standby",
            "Terminated",
            "Waiting",
            "Transition",
            "DeferredReady",
            "GateWaitObsolete",
            "WaitingForProcessInSwap",
        ];
        NAMES.get(usize::from(self.0)).copied()
    }
}

/// Value of `_KTHREAD.WaitReason`; it keeps its last value while the thread runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WaitReason(pub u8);

impl WaitReason {
    /// Name of the reason, `None` for values that no Windows uses.
    pub fn name(self) -> Option<&'static str> {
        const NAMES: [&str; 43] = [
            "Executive",
            "FreePage",
            "PageIn",
            "PoolAllocation",
            "DelayExecution",
            "Suspended",
            "UserRequest",
            "WrExecutive",
            "WrFreePage",
            "WrPageIn",
            "WrPoolAllocation",
            "WrDelayExecution",
            "WrSuspended",
            "WrUserRequest",
            "WrEventPair",
            "WrQueue",
            "WrLpcReceive",
            "WrLpcReply",
            "WrVirtualMemory",
            "WrPageOut",
            "WrRendezvous",
            "WrKeyedEvent",
            "WrTerminated",
            "WrProcessInSwap",
            "WrCpuRateControl",
            "WrCalloutStack",
            "WrKernel",
            "WrResource",
            "WrPushLock",
            "WrMutex",
            "WrQuantumEnd",
            "WrDispatchInt",
            "WrPreempted",
            "WrYieldExecution",
            "WrFastMutex",
            "WrGuardedMutex",
            "WrRundown",
            "WrAlertByThreadId",
            "WrDeferredPreempt",
            "WrPhysicalFault",
            "WrIoRing",
            "WrMdlCache",
            "WrRcu",
        ];
        NAMES.get(usize::from(self.0)).copied()
    }
}

/// Value of `_KTHREAD.WaitMode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WaitMode {
    /// 0
    Kernel,
    /// 1
    User,
    /// Any other value: damaged.
    Unknown(u8),
}

impl From<u8> for WaitMode {
    fn from(value: u8) -> Self {
        match value {
            0 => Self::Kernel,
            1 => Self::User,
            other => Self::Unknown(other),
        }
    }
}
