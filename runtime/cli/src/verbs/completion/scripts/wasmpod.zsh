#compdef wasmpod
# Completion of wasmpod for zsh, behind compinit:
#   source <(wasmpod completion zsh)
# or, for every shell: wasmpod completion zsh >"${fpath[1]}/_wasmpod"

_wasmpod() {
    local line value about
    local -a open whole
    # What stands in the line is quoted; the words before the cursor are all that counts.
    for line in "${(@f)$(PROGRAM __complete -- "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}"; do
        [[ -n $line ]] || continue
        value=${line%%$'\t'*} about=
        [[ $line == *$'\t'* ]] && about=${line#*$'\t'}
        value=${${value//\\/\\\\}//:/\\:}${about:+:$about}
        # There is more to come behind these.
        if [[ ${line%%$'\t'*} == *[/=:.] ]]; then
            open+=("$value")
        else
            whole+=("$value")
        fi
    done
    (( $#open )) && _describe -V wasmpod open -S ''
    (( $#whole )) && _describe -V wasmpod whole
    (( $#open + $#whole )) || { [[ $PREFIX == \~* ]] && _files }
}

compdef _wasmpod wasmpod
# As a file of fpath it is called at the first Tab.
[[ $funcstack[1] == _wasmpod ]] && _wasmpod
