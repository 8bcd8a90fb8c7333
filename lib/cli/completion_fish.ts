/** The completion script for fish. Pure. */
import {
  byFirstWord,
  type CompletedCommand,
  type Completing,
  secondWords,
} from "./completion_words.ts";

/** The script for fish. */
export function fishScript(commands: readonly CompletedCommand[]): string {
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
