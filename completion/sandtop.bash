# SPDX-License-Identifier: MIT
#
# bash completion of sandtop. To try it:  . completion/sandtop.bash
# To have it:  make install, or copy this file as "sandtop" to
# ~/.local/share/bash-completion/completions/

_sandtop_profiles()
{
	local dir=${XDG_CONFIG_HOME:-$HOME/.config}/sandtop/profiles file

	for file in "$dir"/*.toml; do
		[ -e "$file" ] || continue
		file=${file##*/}
		printf '%s\n' "${file%.toml}"
	done
}

# The sandboxes that run.
_sandtop_running()
{
	sandtop ps 2>/dev/null | while read -r name _; do
		[ "$name" = NAME ] || printf '%s\n' "$name"
	done
}

_sandtop_files()
{
	compopt -o filenames
	COMPREPLY=($(compgen -f -- "$1"))
}

# The value of option $1 that begins with $2; fails for one that takes none.
_sandtop_value()
{
	case $1 in
	--net-allow | --net-deny)
		COMPREPLY=($(compgen -W 'private @loopback @private @link-local @metadata @multicast
			@this-host @public @self any:// icmp:// tcp:// udp://' -- "$2"))
		;;
	--rule) COMPREPLY=($(compgen -W 'allow deny ask' -- "$2")) ;;
	--preset) COMPREPLY=($(compgen -W 'none allow-all public-only non-local' -- "$2")) ;;
	--default) COMPREPLY=($(compgen -W 'allow deny ask' -- "$2")) ;;
	--resolve) COMPREPLY=($(compgen -W 'needed all none' -- "$2")) ;;
	--profile) COMPREPLY=($(compgen -W "$(_sandtop_profiles)" -- "$2")) ;;
	--profile-file | --log | --json | --metrics-file | --learn) _sandtop_files "$2" ;;
	--net-allow-bind | --net-deny-bind | --max-connections | --name | --timeout | --status-fd | \
		--ask-timeout | --keep-fd | --allow-host | --block-domain | --block-suffix) ;;
	*) return 1 ;;
	esac
	# A value is wanted also where none is known that begins so.
	return 0
}

_sandtop()
{
	local policy='--net-allow --net-deny --allow-udp --allow-icmp --rule --preset --default --ask
		--allow-host --block-domain --block-suffix --resolve
		--net-allow-bind --net-deny-bind --profile --profile-file --max-connections --help'
	local run='--dump-profile --batch --monitor --hold --no-mouse --log --json --verbose --quiet --stats
		--metrics-file --learn --status-fd --name --no-supervisor --best-effort --timeout --ask-timeout --keep-fd
		--linger --version'
	local verbs='policy reload allow deny undo flows held answer why log save shut metrics reopen kill'
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} i

	# "--preset=p" is three words to bash.
	if [ "$cur" = = ]; then
		cur=
	elif [ "$prev" = = ]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		if [ "${COMP_WORDS[i]}" = -- ]; then
			if declare -F _command_offset >/dev/null; then
				_command_offset $((i + 1))
			elif [ "$((i + 1))" -eq "$COMP_CWORD" ]; then
				COMPREPLY=($(compgen -c -- "$cur"))
			else
				compopt -o default # its arguments are files
			fi
			return
		fi
	done
	case ${COMP_WORDS[1]} in
	check)
		COMPREPLY=($(compgen -W '--plan' -- "$cur"))
		return
		;;
	ps)
		COMPREPLY=($(compgen -W '--json' -- "$cur"))
		return
		;;
	attach)
		COMPREPLY=($(compgen -W "$(_sandtop_running) --no-mouse" -- "$cur"))
		return
		;;
	ctl)
		case $prev in
		ctl) COMPREPLY=($(compgen -W "$verbs $(_sandtop_running) --help" -- "$cur")) ;;
		allow | deny | shut) _sandtop_value --net-deny "$cur" ;;
		reload | save) _sandtop_files "$cur" ;;
		flows) COMPREPLY=($(compgen -W '--json' -- "$cur")) ;;
		log) COMPREPLY=($(compgen -W '-f' -- "$cur")) ;;
		kill) COMPREPLY=($(compgen -W 'TERM KILL INT HUP STOP CONT' -- "$cur")) ;;
		why) COMPREPLY=($(compgen -W 'tcp udp icmp unix dns in' -- "$cur")) ;;
		*) [ "$COMP_CWORD" -eq 3 ] && COMPREPLY=($(compgen -W "$verbs" -- "$cur")) ;;
		esac
		return
		;;
	profile)
		case $COMP_CWORD in
		2) COMPREPLY=($(compgen -W 'list show check' -- "$cur")) ;;
		*) COMPREPLY=($(compgen -W "$(_sandtop_profiles) --strict" -- "$cur")) ;;
		esac
		return
		;;
	explain)
		_sandtop_value "$prev" "$cur" ||
			COMPREPLY=($(compgen -W "$policy --why tcp udp icmp unix dns in" -- "$cur"))
		return
		;;
	esac
	_sandtop_value "$prev" "$cur" && return
	COMPREPLY=($(compgen -W "$policy $run --" -- "$cur"))
	if [ "$COMP_CWORD" -eq 1 ]; then
		COMPREPLY+=($(compgen -W 'check explain profile ps attach ctl' -- "$cur"))
	fi
}

complete -F _sandtop sandtop
