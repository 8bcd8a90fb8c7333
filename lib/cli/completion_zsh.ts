/** The completion script for zsh. Pure. */
import {
  byFirstWord,
  type CompletedCommand,
  type CompletedFlag,
  type Completing,
  quoted,
  secondWords,
} from "./completion_words.ts";

/** The script for zsh. */
export function zshScript(commands: readonly CompletedCommand[]): string {
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
