# Completion of wasmpod for fish:
#   wasmpod completion fish | source
# or, for every shell: wasmpod completion fish >~/.config/fish/completions/wasmpod.fish

function __wasmpod_complete
    set -l before (commandline --current-process --tokenize --cut-at-cursor)
    set -l current (commandline --current-token --cut-at-cursor)
    PROGRAM __complete -- $before "$current" 2>/dev/null
end

complete --command wasmpod --erase
complete --command wasmpod --no-files --keep-order --arguments '(__wasmpod_complete)'
