export type Shell = 'bash' | 'zsh' | 'fish';

/** Each hands over the words up to the cursor and takes lines of `word<TAB>what it is`, or `:files`. */
export const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# asynq completion for bash
_asynq() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then compopt -o default; else COMPREPLY+=("\${line%%$'\\t'*}"); fi
  done < <("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _asynq asynq
`,
  zsh: `#compdef asynq
# asynq completion for zsh
_asynq() {
  local line
  local -a lines described
  lines=("\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ $lines[1] == :files ]]; then _files; return; fi
  for line in $lines; do described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}"); done
  _describe asynq described
}
if [[ $funcstack[1] == _asynq ]]; then _asynq "$@"; else compdef _asynq asynq; fi
`,
  fish: `# asynq completion for fish
function __asynq_complete
  set -l tokens (commandline -opc) (commandline -ct)
  set -l lines ($tokens[1] __complete -- $tokens[2..-1] 2>/dev/null)
  if test "$lines[1]" = ":files"
    __fish_complete_path (commandline -ct)
  else
    printf '%s\\n' $lines
  end
end
complete -c asynq -f -a '(__asynq_complete)'
`,
};
