"""Turns the forge's map of a running guest into lines of a name and a number.

usage: map.py MAP.json > map
"""

import json
import sys

KINDS = {"User": 1, "Wow64": 2, "Pager": 4, "Integrity": 8, "Lifecycle": 16, "Loader": 32,
         "Privileged": 64}

guest = json.load(open(sys.argv[1]))
lines = {f"word.{name}": place[1] for name, place in guest["words"].items()}
lines |= {f"actor_word.{name}": offset for name, offset in guest["actor_words"].items()}
for index, (actor, frame) in enumerate(zip(guest["actors"], guest["actor_frames"])):
    user = actor.get("user") or {}
    lines |= {
        f"actor.{index}.kind": KINDS[actor["kind"]],
        f"actor.{index}.pid": actor["pid"],
        f"actor.{index}.process": actor["process"],
        f"actor.{index}.thread": actor["thread"],
        f"actor.{index}.words": frame,
        f"actor.{index}.words_va": actor["words"],
        f"actor.{index}.breakpoint": user.get("breakpoint", 0),
        f"actor.{index}.create_file": user.get("create_file", 0),
        f"actor.{index}.write_file": user.get("write_file", 0),
    }
lines |= {f"watched.{index}": page for index, page in enumerate(guest["watched"])}
lines |= {f"spare.{index}": process for index, process in enumerate(guest["spares"])}
lines |= {f"late.{index}": function for index, function in enumerate(guest["late_functions"])}
lines |= {f"plugin.{index}": function for index, function in enumerate(guest["plugin_functions"])}
lines["plugin_calls"] = guest["plugin_calls"]
lines["watched"] = len(guest["watched"])
lines["driver_function"] = guest["driver_function"]
lines["parent"] = guest["parent"]
for name, number in lines.items():
    print(name, number)
