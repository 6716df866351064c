"""What all views share: answering, who is asking, paging, headers, words for moments."""
