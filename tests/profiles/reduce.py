#!/usr/bin/env python3
"""Makes the reduced kernel tables of this folder out of full Volatility 3 ISF tables.

usage: reduce.py FOLDER_OF_FULL_TABLES [OUTPUT_FOLDER]

Kept are the structures named in TYPES with everything that they contain by value, all
enumerations, and the symbols whose names begin with a prefix of SYMBOL_PREFIXES or are
listed in SYMBOLS. The output has the folder layout of a Volatility 3 symbol directory:
windows/PDB_NAME/GUID-AGE.json.xz.
"""

import json
import lzma
import re
import sys
from pathlib import Path

# Structures kept with everything that they contain by value; one that a build lacks is
# skipped.
TYPES = """
_EPROCESS _KPROCESS _ETHREAD _KTHREAD _EWOW64PROCESS _KAPC_STATE _KTRAP_FRAME _KEXCEPTION_FRAME
_CLIENT_ID _CLIENT_ID32 _CLIENT_ID64 _EX_FAST_REF _EX_RUNDOWN_REF _EX_PUSH_LOCK
_PS_CLIENT_SECURITY_CONTEXT _PS_PROTECTION _EJOB _SE_AUDIT_PROCESS_CREATION_INFO
_OBJECT_NAME_INFORMATION _PS_PROPERTY_SET _KPCR _KPRCB _KPROCESSOR_STATE _KSPECIAL_REGISTERS
_CONTEXT _XSAVE_FORMAT _M128A _KDESCRIPTOR _KIDTENTRY64 _KGDTENTRY64 _KTSS64 _KSCB
_KSCHEDULING_GROUP _KSCHEDULING_GROUP_POLICY _EXCEPTION_RECORD _EXCEPTION_RECORD64
_EXCEPTION_RECORD32 _EXCEPTION_POINTERS _XSTATE_CONTEXT _XSAVE_AREA _XSAVE_AREA_HEADER _KNODE
_KDPC _KAPC _KTIMER _KEVENT _KMUTANT _KSEMAPHORE _KQUEUE _KTIMER_TABLE _KTIMER_TABLE_ENTRY
_KWAIT_BLOCK _KSYSTEM_TIME _KSTACK_CONTROL _KERNEL_STACK_CONTROL _KERNEL_STACK_SEGMENT _ETIMER
_ERESOURCE _OWNER_ENTRY _DISPATCHER_HEADER _HANDLE_TABLE _HANDLE_TABLE_ENTRY
_HANDLE_TABLE_ENTRY_INFO _HANDLE_TABLE_FREE_LIST _HANDLE_TRACE_DEBUG_INFO _OBJECT_HEADER
_OBJECT_HEADER_NAME_INFO _OBJECT_HEADER_CREATOR_INFO _OBJECT_HEADER_HANDLE_INFO
_OBJECT_HEADER_QUOTA_INFO _OBJECT_HEADER_PROCESS_INFO _OBJECT_HEADER_AUDIT_INFO
_OBJECT_HEADER_EXTENDED_INFO _OBJECT_HEADER_PADDING_INFO _OBJECT_HANDLE_COUNT_ENTRY
_OBJECT_HANDLE_COUNT_DATABASE _OBJECT_HANDLE_INFORMATION _OBJECT_TYPE _OBJECT_TYPE_INITIALIZER
_OBJECT_DIRECTORY _OBJECT_DIRECTORY_ENTRY _OBJECT_SYMBOLIC_LINK _OBJECT_ATTRIBUTES
_OBJECT_CREATE_INFORMATION _OBJECT_NAMESPACE_LOOKUPTABLE _DEVICE_MAP _OBP_LOOKUP_CONTEXT
_GENERIC_MAPPING _FILE_OBJECT _DEVICE_OBJECT _DRIVER_OBJECT _DRIVER_EXTENSION _DEVOBJ_EXTENSION
_VPB _SECTION_OBJECT_POINTERS _IO_COMPLETION_CONTEXT _IRP _IO_STACK_LOCATION _MDL
_FAST_IO_DISPATCH _IO_STATUS_BLOCK _SHARED_CACHE_MAP _PRIVATE_CACHE_MAP _VACB _VACB_ARRAY_HEADER
_VACB_LEVEL_REFERENCE _ALPC_PORT _ALPC_COMMUNICATION_INFO _ALPC_PORT_ATTRIBUTES _KALPC_MESSAGE
_ALPC_HANDLE_TABLE _ETW_GUID_ENTRY _ETW_REG_ENTRY _MMVAD _MMVAD_SHORT _MMVAD_LONG _MMVAD_FLAGS
_MMVAD_FLAGS1 _MMVAD_FLAGS2 _MMVAD_FLAGS3 _MM_PRIVATE_VAD_FLAGS _MM_GRAPHICS_VAD_FLAGS
_MM_SHARED_VAD_FLAGS _MM_AVL_TABLE _MMADDRESS_NODE _RTL_AVL_TREE _RTL_BALANCED_NODE _RTL_RB_TREE
_MMADDRESS_LIST _MI_VAD_EVENT_BLOCK _MI_VAD_SEQUENTIAL_INFO _MMEXTEND_INFO _SECTION
_SECTION_OBJECT _SEGMENT_OBJECT _SEGMENT _SEGMENT_FLAGS _CONTROL_AREA _MMSECTION_FLAGS
_MMSECTION_FLAGS2 _SUBSECTION _MSUBSECTION _MMSUBSECTION_FLAGS _MMSUBSECTION_NODE
_MI_SECTION_IMAGE_INFORMATION _SECTION_IMAGE_INFORMATION _MI_EXTRA_IMAGE_INFORMATION _MMPTE
_MMPTE_HARDWARE _MMPTE_SOFTWARE _MMPTE_TRANSITION _MMPTE_PROTOTYPE _MMPTE_SUBSECTION _MMPTE_LIST
_MMPTE_TIMESTAMP _HARDWARE_PTE _MMPFN _MMPFNENTRY _MMPFNLIST _MMSUPPORT _MMSUPPORT_FULL
_MMSUPPORT_INSTANCE _MMSUPPORT_SHARED _MMSUPPORT_FLAGS _MMWSL _MMWSLE _MMPAGING_FILE
_MM_SESSION_SPACE _MM_SESSION_SPACE_FLAGS _MI_SYSTEM_INFORMATION _MI_HARDWARE_STATE _MI_PARTITION
_MI_PARTITION_CORE _MI_VISIBLE_STATE _MI_SYSTEM_VA_STATE _PHYSICAL_MEMORY_DESCRIPTOR
_PHYSICAL_MEMORY_RUN _MI_PAGING_FILE_SPACE_BITMAPS _POOL_HEADER _POOL_DESCRIPTOR
_POOL_TRACKER_BIG_PAGES _POOL_TRACKER_TABLE _POOL_BLOCK_HEAD _EX_POOL_HEAP_MANAGER_STATE
_GENERAL_LOOKASIDE _LOOKASIDE_LIST_EX _TOKEN _SID _SID_AND_ATTRIBUTES _SID_AND_ATTRIBUTES_HASH
_SID_IDENTIFIER_AUTHORITY _SEP_TOKEN_PRIVILEGES _SEP_AUDIT_POLICY _SEP_LOGON_SESSION_REFERENCES
_TOKEN_SOURCE _TOKEN_CONTROL _LUID _LUID_AND_ATTRIBUTES _SEP_SID_VALUES_BLOCK _TOKEN_PRIVILEGES
_AUTHZBASEP_SECURITY_ATTRIBUTES_INFORMATION _SEP_TOKEN_DIAG_TRACK_ENTRY _SECURITY_DESCRIPTOR _ACL
_SECURITY_QUALITY_OF_SERVICE _SECURITY_CLIENT_CONTEXT _PEB _PEB32 _PEB64 _PEB_LDR_DATA
_LDR_DATA_TABLE_ENTRY _KLDR_DATA_TABLE_ENTRY _LDR_DDAG_NODE _LDR_SERVICE_TAG_RECORD
_RTL_USER_PROCESS_PARAMETERS _RTL_DRIVE_LETTER_CURDIR _CURDIR _TEB _TEB32 _TEB64 _NT_TIB _NT_TIB32
_NT_TIB64 _GDI_TEB_BATCH _ACTIVATION_CONTEXT_STACK _RTL_CRITICAL_SECTION
_RTL_CRITICAL_SECTION_DEBUG _HEAP _HEAP_ENTRY _HEAP_SEGMENT _UNICODE_STRING _STRING _STRING32
_STRING64 _LIST_ENTRY LIST_ENTRY32 LIST_ENTRY64 _SINGLE_LIST_ENTRY _SINGLE_LIST_ENTRY32
_SLIST_HEADER _LARGE_INTEGER _ULARGE_INTEGER _GUID _KUSER_SHARED_DATA _XSTATE_CONFIGURATION
_CMHIVE _HHIVE _HBASE_BLOCK _DUAL _HMAP_DIRECTORY _HMAP_TABLE _HMAP_ENTRY _HBIN _HCELL
_CM_KEY_BODY _CM_KEY_CONTROL_BLOCK _CM_KEY_HASH _CM_KEY_HASH_TABLE_ENTRY _CM_NAME_CONTROL_BLOCK
_CM_NAME_HASH _CM_KEY_NODE _CM_KEY_VALUE _CM_KEY_INDEX _CM_BIG_DATA _CM_KEY_SECURITY
_CM_KEY_REFERENCE _CM_INDEX_HINT_BLOCK _CM_KEY_SECURITY_CACHE _CM_KEY_SECURITY_CACHE_ENTRY
_CM_CELL_REMAP_BLOCK _CM_KCB_UOW _CM_TRANS _CM_PATH_HASH _CMP_VOLUME_CONTEXT
_CM_CACHED_VALUE_INDEX _CELL_DATA _CHILD_LIST _IMAGE_DOS_HEADER _IMAGE_NT_HEADERS64
_IMAGE_FILE_HEADER _IMAGE_OPTIONAL_HEADER64 _IMAGE_SECTION_HEADER _IMAGE_DATA_DIRECTORY
_IMAGE_DEBUG_DIRECTORY _IMAGE_RUNTIME_FUNCTION_ENTRY _DBGKD_GET_VERSION64 _LOADER_PARAMETER_BLOCK
_LOADER_PARAMETER_EXTENSION _KPROCESSOR_DESCRIPTOR_AREA _WNF_PROCESS_CONTEXT _WNF_STATE_NAME
_KQOS_GROUPING_SETS _JOBOBJECT_WAKE_FILTER _PROC_PERF_LOAD _KHETERO_PROCESSOR_SET _WORK_QUEUE_ITEM
_EX_WORK_QUEUE _IO_WORKITEM _INVERTED_FUNCTION_TABLE _INVERTED_FUNCTION_TABLE_ENTRY _KINTERRUPT
_MACHINE_FRAME
""".split()

# Names beginning so are kept: the system services and the parts of the executive that an
# introspection tool asks for by name.
SYMBOL_PREFIXES = """
Nt Ps Mm Ob Ke Ki Cm Kd Io Ex Se Psp Obp Exp Kdp Dbgk
""".split()

# Kept although no prefix covers them.
SYMBOLS = """
MiState MiInvalidPteMask MiSystemPartition MiVisibleState MiReleasePageFileInfo
MiProcessLoaderEntry MiGetPteAddress MiRememberUnloadedDriver CmpHiveListHead CmpMasterHive
CmpRegistryRootObject PoolBigPageTable PoolBigPageTableSize PoolVector PoolTrackTable
PoolTrackTableSize NonPagedPoolDescriptor IopNumTriageDumpDataBlocks IopTriageDumpDataBlocks
IopInvalidDeviceRequest IopLoadDriver IopRootDeviceNode IopDriverLoadResource IopErrorLogListHead
HvlpFlags HalpLMIdentityStub HalpLMStub HalpPerformanceCounter HalpInterruptController
SepLogonSessions SepTokenPolicyCounter g_CiEnabled RtlpInvertedFunctionTable
RtlpDebugPrintCallbackList NlsAnsiCodePage NlsOemCodePage ZwClose ZwCreateFile ZwOpenFile
ZwReadFile ZwWriteFile AlpcPortObjectType LpcPortObjectType DbgPrint DbgPrintEx DbgBreakPoint
DbgBreakPointWithStatus RtlGetVersion RtlDispatchException RtlRaiseException memcpy memset
""".split()


def by_value(field_type):
    """Yields the names of the structures and unions that a type contains by value."""
    kind = field_type["kind"]
    if kind == "array":
        yield from by_value(field_type["subtype"])
    elif kind == "bitfield":
        yield from by_value(field_type["type"])
    elif kind in ("struct", "union", "class"):
        yield field_type["name"]


def closure(types, names):
    """The named types and everything that they contain by value."""
    kept, pending = {}, [name for name in names if name in types]
    while pending:
        name = pending.pop()
        if name in kept or name not in types:
            continue
        kept[name] = types[name]
        for field in types[name]["fields"].values():
            pending.extend(by_value(field["type"]))
    return kept


def has_prefix(name, prefixes):
    """Whether a prefix of the list is followed by the start of a new word."""
    return any(name.startswith(p) and re.match(r"[A-Z0-9]", name[len(p):]) for p in prefixes)


def keep_symbol(name):
    if name in SYMBOLS:
        return True
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name):
        return False
    return has_prefix(name, SYMBOL_PREFIXES)


def reduced(table):
    return {
        "metadata": table["metadata"],
        "base_types": table["base_types"],
        "enums": table["enums"],
        "user_types": closure(table["user_types"], TYPES),
        "symbols": {
            name: {"address": symbol["address"]}
            for name, symbol in table["symbols"].items()
            if keep_symbol(name)
        },
    }


def write(table, folder):
    pdb = table["metadata"]["windows"]["pdb"]
    path = folder / "windows" / pdb["database"] / f"{pdb['GUID']}-{pdb['age']}.json.xz"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(table, separators=(",", ":"), sort_keys=True).encode()
    path.write_bytes(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME))
    print(f"{path}: {path.stat().st_size} bytes, {len(table['user_types'])} types, {len(table['symbols'])} symbols")


def main():
    source = Path(sys.argv[1])
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parent
    for path in sorted(source.glob("*.json.xz")):
        with lzma.open(path) as file:
            write(reduced(json.load(file)), target)


if __name__ == "__main__":
    main()
