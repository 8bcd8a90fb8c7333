/** Completion scripts for bash, zsh and fish. Pure. */
import type { CompletedCommand, CompletedFlag, Completing } from "./completion_words.ts";

/** The shells there is a script for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = typeof SHELLS[number];

/** Makes a shell complete zonecast's command line. */
export function completionScript(shell: Shell, commands: readonly CompletedCommand[]): string {
  return { bash, zsh, fish }[shell](commands);
}

/** Commands of one word, and the groups of two, by their first word. */
function byFirstWord(commands: readonly CompletedCommand[]): Map<string, CompletedCommand[]> {
  return Map.groupBy(commands, ({ words }) => words[0]);
}

/** The second words that a first word may have. */
function secondWords(group: readonly CompletedCommand[]): string[] {
  return group.flatMap(({ words }) => words.slice(1));
}

/** A text in single quotes, as bash and zsh have it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function bash(commands: readonly CompletedCommand[]): string {
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

function zsh(commands: readonly CompletedCommand[]): string {
  const groups = byFirstWord(commands);
  const described = (word: string, help: string) =>
    quoted(`${word}:${help.replaceAll(":", "\\:")}`);
  const firsts = [...groups].map(([first, group]) => {
    const own = group.find(({ words }) => words.length === 1);
    return described(first, own?.summary ?? `${secondWords(group).join(", ")}`);
  });
  const pairs = [...groups].filter(([, group]) => secondWords(group).length > 0);
  const bodies = commands.map((command) => {
    const specs = [
      ...command.flags.map(zshFlag),
      ...command.positionals.map(({ name, value }, index) =>
        quoted(`${index + 1}:${zshText(name)}:${zshAction(value)}`)
      ),
    ];
    return `    ${quoted(command.words.join(" "))})\n      _arguments -S ${
      specs.map((spec) => `\\\n        ${spec}`).join(" ")
    }\n      ;;`;
  });
  const seconds = pairs.map(([first, group]) => {
    const words = group.flatMap(({ words, summary }) =>
      words.length > 1 ? [described(words[1], summary)] : []
    );
    const alone = group.some(({ words }) => words.length === 1);
    return `    ${first})
      case "$words[3]" in
        ${secondWords(group).join("|")}) (( CURRENT > 3 )) && command="$command $words[3]" skip=2 ;;
      esac
      if (( CURRENT == 3 ))${alone ? ` && [[ $words[3] != -* ]]` : ""}; then
        seconds=(${words.join(" ")})
        _describe command seconds
        return
      fi
      ;;`;
  });
  return `#compdef zonecast
# zsh completions of zonecast, printed by \`zonecast completions zsh\`

_zonecast() {
  local command=$words[2] skip=1
  local -a firsts seconds
  if (( CURRENT == 2 )); then
    firsts=(
      ${firsts.join("\n      ")}
    )
    _describe command firsts
    return
  fi
  case "$command" in
${seconds.join("\n")}
  esac
  shift $skip words
  (( CURRENT -= skip ))
  case "$command" in
${bodies.join("\n")}
  esac
}

if [[ $funcstack[1] == _zonecast ]]; then
  _zonecast "$@"
else
  compdef _zonecast zonecast
fi
`;
}

function zshFlag({ flag, help, repeatable, value, placeholder }: CompletedFlag): string {
  const star = repeatable ? "*" : "";
  const what = `[${zshText(help)}]`;
  if (!value) return quoted(`${star}${flag}${what}`);
  return quoted(`${star}${flag}=${what}:${zshText(placeholder)}:${zshAction(value)}`);
}

function zshAction(value: Completing): string {
  if (value.kind === "path") return "_files";
  return value.kind === "words" ? `(${value.words.map(zshText).join(" ")})` : " ";
}

/** A text in which nothing means anything to _arguments. */
function zshText(text: string): string {
  return text.replaceAll(/[\\[\]:()]/g, "\\$&");
}

function fish(commands: readonly CompletedCommand[]): string {
  const groups = byFirstWord(commands);
  const lines = [...groups].map(([first, group]) => {
    const own = group.find(({ words }) => words.length === 1);
    const help = own?.summary ?? secondWords(group).join(", ");
    return `complete -c zonecast -n __zonecast_first -a ${first} -d ${fishText(help)}`;
  });
  for (const { words: [first, second], summary, flags, positionals } of commands) {
    const within = `-n ${fishText(`__zonecast_in ${[first, second].filter(Boolean).join(" ")}`)}`;
    if (second) {
      const here = `-n ${fishText(`__zonecast_second ${first}`)}`;
      lines.push(`complete -c zonecast ${here} -a ${second} -d ${fishText(summary)}`);
    }
    for (const { flag, help, value } of flags) {
      const name = `-l ${flag.slice(2)} ${value ? `${fishValue(value)} ` : ""}-d ${fishText(help)}`;
      lines.push(`complete -c zonecast ${within} ${name}`);
    }
    for (const [index, { value }] of positionals.entries()) {
      if (value.kind === "free") continue;
      const words = second ? `${first} ${second}` : first;
      const place = `-n ${fishText(`__zonecast_place ${index + 1} ${words}`)}`;
      const offered = value.kind === "path" ? "-F" : `-a ${fishText(value.words.join(" "))}`;
      lines.push(`complete -c zonecast ${place} ${offered}`);
    }
  }
  const pairs = commands.filter(({ words }) => words.length > 1).map(({ words }) =>
    words.join(" ")
  );
  const valued = new Set(
    commands.flatMap(({ flags }) => flags.filter(({ value }) => value).map(({ flag }) => flag)),
  );
  return `# fish completions of zonecast, printed by \`zonecast completions fish\`

# The words before the cursor that are neither flags nor values of flags.
function __zonecast_words
  set -l skip 0
  set -l tokens (commandline -opc)
  for token in $tokens[2..-1]
    if test $skip = 1
      set skip 0
    else if contains -- $token ${[...valued].join(" ")}
      set skip 1
    else if not string match -q -- '-*' $token
      echo $token
    end
  end
end

function __zonecast_first
  test (count (__zonecast_words)) = 0
end

function __zonecast_second
  set -l words (__zonecast_words)
  test (count $words) = 1; and test "$words[1]" = $argv[1]
end

# Whether the command is this one: of one word, unless the second makes it another.
function __zonecast_in
  set -l words (__zonecast_words)
  if test (count $argv) = 2
    test "$words[1] $words[2]" = "$argv"
    return
  end
  test "$words[1]" = "$argv[1]"; and not contains -- "$words[1] $words[2]" ${
    pairs.map(fishText).join(" ")
  }
end

function __zonecast_place
  __zonecast_in $argv[2..-1]
  and test (math (count (__zonecast_words)) - (count $argv) + 2) = $argv[1]
end

complete -c zonecast -f
${lines.join("\n")}
`;
}

function fishValue(value: Completing): string {
  if (value.kind === "path") return "-r -F";
  return value.kind === "words" ? `-x -a ${fishText(value.words.join(" "))}` : "-x";
}

/** A text in single quotes, as fish has it. */
function fishText(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
