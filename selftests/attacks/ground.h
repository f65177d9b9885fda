/* SPDX-License-Identifier: MIT */
/*
 * What the attacker and its judge know of the ground without being told.
 */
#ifndef SANDTOP_SELFTESTS_ATTACKS_GROUND_H
#define SANDTOP_SELFTESTS_ATTACKS_GROUND_H

enum {
	GROUP_PORT = 7003, /* of the multicast listener, which is at GROUP_ADDRESS */
	HOLE_PORT = 7005,  /* where the attacker itself may listen, and be in nobody's way */
};

/* A device that is there for everybody (tuntap.rst, TUNSETPERSIST), if the attack asks for it. */
#define TUN_NAME "attacked"

#define GROUP_ADDRESS "239.1.2.3"

#endif
