# Completion of wasmpod for bash:
#   source <(wasmpod completion bash)
# or, for every shell: wasmpod completion bash >~/.local/share/bash-completion/completions/wasmpod

_wasmpod() {
    local candidate
    COMPREPLY=()
    while IFS=$'\t' read -r candidate _; do
        case $candidate in
            *[!A-Za-z0-9_./:=,@%+~-]*) printf -v candidate %q "$candidate" ;;
        esac
        COMPREPLY+=("$candidate")
    done < <(PROGRAM __complete --breaks="$COMP_WORDBREAKS" -- "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 0 && $2 == '~'* ]]; then
        compopt -o default
    elif [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[/=:.] ]]; then
        # There is more to come.
        compopt -o nospace
    fi
}

complete -F _wasmpod wasmpod
