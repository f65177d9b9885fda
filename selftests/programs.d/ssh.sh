# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Programs that go through ssh, and rsync.

# An sshd of the user's own, with a key for its client.
serve_ssh() {
	ssh-keygen -q -t ed25519 -N '' -f host
	ssh-keygen -q -t ed25519 -N '' -f key
	cat >sshd.conf <<-END
		Port 2222
		ListenAddress 127.0.0.1
		HostKey $PWD/host
		AuthorizedKeysFile $PWD/key.pub
		PidFile none
		StrictModes no
		UsePAM no
		Subsystem sftp internal-sftp
	END
	serve 2222 "$(command -v sshd)" -D -e -f "$PWD/sshd.conf"
	ssh_options="-F none -i $PWD/key -o IdentitiesOnly=yes -o StrictHostKeyChecking=no"
	ssh_options="$ssh_options -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
}

program ssh q 'sshd ssh ssh-keygen' 'connect:2 listen:1' 'a shell, its exit status, 8 MB there and back'
run_ssh() {
	serve_ssh
	ssh $ssh_options -p 2222 127.0.0.1 'echo hello; exit 3'
	echo "status $?"
	head -c 8000000 /dev/zero | ssh $ssh_options -p 2222 127.0.0.1 cat | digest
}

program sftp '' 'sshd sftp' 'connect:1' '40 files there and back'
run_sftp() {
	serve_ssh
	mkdir there back
	for i in {1..40}; do
		head -c 20000 /dev/zero | tr '\0' "$((i % 10))" >"file$i"
		echo "put file$i there/file$i"
		echo "get there/file$i back/file$i"
	done >batch
	sed -i "1icd $PWD" batch
	sftp $ssh_options -P 2222 -b batch 127.0.0.1 >sftp.log
	echo "status $?"
	cat back/* | digest
}

program rsync_ssh '' 'rsync sshd ssh ssh-keygen' 'connect:1' '200 files over ssh'
run_rsync_ssh() {
	serve_ssh
	mkdir from
	for i in {1..200}; do
		echo "$i" >"from/$i"
	done
	rsync -a -e "ssh $ssh_options -p 2222" "127.0.0.1:$PWD/from/" to
	echo "status $?"
	cat to/* | digest
}

program rsync q rsync 'connect:1 listen:1' '200 files from a daemon'
run_rsync() {
	mkdir from
	for i in {1..200}; do
		echo "$i" >"from/$i"
	done
	printf 'use chroot = no\n[files]\npath = %s/from\n' "$PWD" >rsyncd.conf
	serve 8730 rsync --daemon --no-detach --config rsyncd.conf --port 8730 --address 127.0.0.1
	rsync -a rsync://127.0.0.1:8730/files/ to
	echo "status $?"
	cat to/* | digest
}
