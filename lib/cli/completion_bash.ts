/** The completion script for bash. Pure. */
import {
  byFirstWord,
  type CompletedCommand,
  type Completing,
  quoted,
  secondWords,
} from "./completion_words.ts";

/** The script for bash. */
export function bashScript(commands: readonly CompletedCommand[]): string {
  const groups = byFirstWord(commands);
  const arms = (rows: readonly string[]) => rows.map((row) => `    ${row} ;;`).join("\n");
  const name = ({ words }: CompletedCommand) => words.join(" ");
  const values = commands.flatMap((command) =>
    command.flags.flatMap(({ flag, value }) =>
      value ? [`${quoted(`${name(command)} ${flag}`)}) ${bashValue(value)}`] : []
    )
  );
  const places = commands.flatMap((command) =>
    command.positionals.flatMap(({ value }, index) =>
      value.kind === "free"
        ? []
        : [`${quoted(`${name(command)} ${index + 1}`)}) ${bashValue(value)}`]
    )
  );
  const flags = commands.map((command) =>
    `${quoted(name(command))}) echo ${quoted(command.flags.map(({ flag }) => flag).join(" "))}`
  );
  const seconds = [...groups].flatMap(([first, group]) => {
    const words = secondWords(group);
    return words.length > 0 ? [`${first}) echo ${quoted(words.join(" "))}`] : [];
  });
  return `# bash completions of zonecast, printed by \`zonecast completions bash\`

_zonecast_seconds() {
  case "$1" in
${arms(seconds)}
  esac
}

_zonecast_flags() {
  case "$1" in
${arms(flags)}
  esac
}

# What may follow a flag: "words ...", "path", "free"; nothing for a switch.
_zonecast_value() {
  case "$1 $2" in
${arms(values)}
  esac
}

_zonecast_place() {
  case "$1 $2" in
${arms(places)}
  esac
}

_zonecast_offer() {
  case "$1" in
    words*) COMPREPLY=($(compgen -W "\${1#words}" -- "$2")) ;;
    path)
      compopt -o filenames 2>/dev/null
      local IFS=$'\\n'
      COMPREPLY=($(compgen -f -- "$2"))
      ;;
  esac
}

_zonecast() {
  COMPREPLY=()
  # Readline's own words are cut at "=" and ":"; what it replaces begins behind the last of them.
  local -a words
  local line=\${COMP_LINE:0:COMP_POINT} count cur prev
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  count=$((\${#words[@]} - 1))
  cur=\${words[count]} prev=\${words[count-1]}
  if [[ $cur == --*=* ]]; then
    prev=\${cur%%=*} cur=\${cur#*=}
  fi
  if ((count == 1)); then
    COMPREPLY=($(compgen -W ${
    quoted([...groups.keys()].join(" ") + " --help --version")
  } -- "$cur"))
    return
  fi
  local command=\${words[1]} at=2 seconds
  seconds=$(_zonecast_seconds "$command")
  if [[ -n $seconds ]]; then
    if ((count == 2)) && [[ $cur != -* ]]; then
      COMPREPLY=($(compgen -W "$seconds" -- "$cur"))
      [[ -n $COMPREPLY || -z $(_zonecast_flags "$command") ]] && return
    elif [[ " $seconds " == *" \${words[2]} "* ]]; then
      command="$command \${words[2]}"
      at=3
    fi
  fi
  if [[ $prev == --* ]]; then
    local value
    value=$(_zonecast_value "$command" "$prev")
    if [[ -n $value ]]; then
      _zonecast_offer "$value" "$cur"
      return
    fi
  fi
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$(_zonecast_flags "$command")" -- "$cur"))
    return
  fi
  local place=1
  for ((; at < count; at++)); do
    if [[ \${words[at]} == --* ]]; then
      [[ \${words[at]} != *=* && -n $(_zonecast_value "$command" "\${words[at]}") ]] && ((at++))
    else
      ((place++))
    fi
  done
  _zonecast_offer "$(_zonecast_place "$command" "$place")" "$cur"
}

complete -F _zonecast zonecast
`;
}

function bashValue(value: Completing): string {
  return `echo ${value.kind === "words" ? quoted(`words ${value.words.join(" ")}`) : value.kind}`;
}
