# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# git, by each way that it has to another machine.

# A repository "origin" of 20 commits, the same in every run.
make_origin() {
	export HOME=$PWD GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000'
	git config --global user.name tester
	git config --global user.email tester@invalid
	git init -q --bare -b main origin
	for i in {1..20}; do
		printf 'commit refs/heads/main\ncommitter t <t@invalid> 1700000000 +0000\ndata 1\nx'
		printf '\nM 644 inline %s\ndata 6\nhello\n\n' "$i"
	done | git -C origin fast-import --quiet
	git -C origin config http.receivepack true
}

# clone_and_push URL
clone_and_push() {
	git clone -q "$1" copy && git -C copy log --format=%H | digest
	echo more >copy/more
	git -C copy add . && git -C copy commit -qm more && git -C copy push -q
	echo "status $?"
	git -C origin log --format=%H | digest
}

program git_files '' 'git python3' 'connect:2' 'clone over http, from files'
run_git_files() {
	make_origin
	git -C origin update-server-info
	serve_files
	git clone -q http://127.0.0.1:8000/origin copy
	git -C copy log --format=%H | digest
}

program git_http q 'git python3' 'connect:4' 'clone and push over http'
run_git_http() {
	make_origin
	mkdir cgi-bin
	printf '#!/bin/sh\nexec git http-backend\n' >cgi-bin/git
	chmod +x cgi-bin/git
	export GIT_PROJECT_ROOT=$PWD GIT_HTTP_EXPORT_ALL=1
	serve_files --cgi
	clone_and_push http://127.0.0.1:8000/cgi-bin/git/origin
}

program git_ssh q 'git sshd ssh ssh-keygen' 'connect:2' 'clone and push over ssh'
run_git_ssh() {
	make_origin
	serve_ssh
	export GIT_SSH_COMMAND="ssh $ssh_options"
	clone_and_push "ssh://127.0.0.1:2222$PWD/origin"
}
