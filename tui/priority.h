/* SPDX-License-Identifier: MIT */
#ifndef SANDTOP_TUI_PRIORITY_H
#define SANDTOP_TUI_PRIORITY_H

/*
 * Have the kernel run this process when the sandbox leaves a processor free, as far as it can: it
 * gets its share of a busy machine, but a call and its supervisor do not wait until it is done.
 */
void priority_give_way(void);

#endif
