"""What is handed over: one page that any browser reads, and files that other programs read.

Results, names and numbers come in; text, bytes and files go out. Nothing is clustered, fitted or
tested here, and nothing is known of HyperSpy: what is to be shown was found before, and what was
not is said to be missing. Every text is escaped where it enters the page.
"""
