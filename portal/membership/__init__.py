"""Membership: who may join, invitations, the people there are and their roles, and setting the portal up."""
